#include "providers/postgres/target.h"

#include <gtest/gtest.h>

#include "providers/postgres/stream.h"
#include "providers/postgres/wal_fetch.h"

namespace lifeboat::postgres {
namespace {

using namespace std::chrono_literals;
constexpr std::uint32_t mib = 1U << 20U;
const Instant epoch = *parse_instant("2026-11-23T11:00:00Z");

Instant at(int seconds) { return epoch + std::chrono::seconds(seconds); }

vault::LogStatus log_of(Timeline timeline, Lsn begin, Lsn boundary,
                        std::vector<vault::Gap> gaps = {}) {
    vault::LogStatus status;
    status.name = {"database", "7", timeline};
    status.begin = begin;
    status.end = boundary + 100;
    status.boundary = boundary;
    status.gaps = std::move(gaps);
    return status;
}

Base base_of(const std::string& id, Timeline timeline, Lsn start, Lsn stop, Instant ended) {
    Base base;
    base.point.id = PointId(id);
    base.point.ended = ended;
    base.point.method = "base";
    base.system_identifier = 7;
    base.timeline = timeline;
    base.start = start;
    base.stop = stop;
    base.segment_size = mib;
    return base;
}

/// Timeline 1 from 1 MiB to 9.5 MiB with a backup at 3..4 MiB.
Holdings simple() {
    Holdings holdings;
    holdings.component = "database";
    holdings.system_identifier = 7;
    holdings.segment_size = mib;
    holdings.logs.emplace(1, log_of(1, mib, 9 * mib + mib / 2));
    holdings.bases = {base_of("first", 1, 3 * mib + 40, 4 * mib, at(400))};
    return holdings;
}

/// One mark a MiB: at second 100 × n the position n MiB.
class Marks final : public WalIndex {
public:
    explicit Marks(const Holdings& holdings) : holdings_(holdings) {}
    Result<std::optional<vault::Mark>> mark_before(Timeline timeline, Instant time) override {
        const auto& log = holdings_.logs.at(timeline);
        std::optional<vault::Mark> last;
        for (Lsn n = log.begin / mib + 1; n * mib <= log.boundary; ++n)
            if (at(static_cast<int>(n) * 100) <= time)
                last = vault::Mark{at(static_cast<int>(n) * 100), n * mib, {}};
        return last;
    }
    Result<std::optional<vault::Mark>> mark_with_label(Timeline,
                                                       const std::string& label) override {
        if (label == "upgrade") return std::optional(vault::Mark{at(650), 6 * mib + 500, label});
        return std::optional<vault::Mark>();
    }
    Result<Lsn> boundary_at(Timeline, Lsn lsn) override { return lsn & ~Lsn{7}; }

private:
    const Holdings& holdings_;
};

Result<Choice> choose(const Holdings& holdings, const std::string& to) {
    Marks marks(holdings);
    return postgres::choose(holdings, marks, to, at(100'000));
}

providers::Verdict verdict(bool bad, Lsn position, int second) {
    providers::Verdict made;
    made.id = "verify";
    made.bad = bad;
    made.at = at(second);
    made.position = format_lsn(position);
    made.why = "amcheck: table public.orders";
    return made;
}

Lsn until(const Holdings& holdings, const std::string& to) {
    const auto choice = choose(holdings, to);
    EXPECT_TRUE(choice.has_value()) << to << ": " << choice.error().message;
    return choice.has_value() ? choice->until : 0;
}

Error refusal(const Holdings& holdings, const std::string& to) {
    const auto choice = choose(holdings, to);
    EXPECT_FALSE(choice.has_value()) << to;
    return choice.has_value() ? Error{} : choice.error();
}

TEST(Target, every_form_leads_to_one_exact_position) {
    const Holdings holdings = simple();
    EXPECT_EQ(until(holdings, "latest"), 9 * mib + mib / 2);
    EXPECT_EQ(until(holdings, ""), 9 * mib + mib / 2);
    EXPECT_EQ(until(holdings, "first"), 4 * mib);
    EXPECT_EQ(until(holdings, "0/700005"), 7 * mib);
    EXPECT_EQ(until(holdings, format_instant(at(777))), 7 * mib);
    EXPECT_EQ(until(holdings, format_instant(at(600))), 6 * mib) << "at that very moment";
    EXPECT_EQ(until(holdings, "upgrade"), 6 * mib + 500);
    EXPECT_EQ(choose(holdings, "latest")->at, at(900));
    EXPECT_EQ(choose(holdings, "latest")->stretches,
              (std::vector<Stretch>{{1, 9 * mib + mib / 2}}));
}

TEST(Target, what_cannot_be_reached_is_refused_with_what_can) {
    const Holdings holdings = simple();
    const Error early = refusal(holdings, "0/200000");
    EXPECT_EQ(early.kind, ErrorKind::conflict);
    EXPECT_NE(early.hint.find("from 0/400000 to 0/980000"), std::string::npos) << early.hint;
    EXPECT_EQ(refusal(holdings, "0/A00000").kind, ErrorKind::conflict) << "beyond the WAL";
    EXPECT_EQ(refusal(holdings, format_instant(at(150))).kind, ErrorKind::conflict);
    EXPECT_EQ(refusal(holdings, format_instant(at(200'000))).kind, ErrorKind::invalid)
        << "the future";
    EXPECT_EQ(refusal(holdings, "no such point").kind, ErrorKind::invalid);
    EXPECT_EQ(refusal(Holdings{}, "latest").kind, ErrorKind::not_found);
}

TEST(Target, the_newest_backup_that_had_ended_by_then_is_taken) {
    Holdings holdings = simple();
    holdings.bases.push_back(base_of("second", 1, 6 * mib, 7 * mib, at(700)));
    EXPECT_EQ(choose(holdings, "latest")->base.point.id.value, "second");
    EXPECT_EQ(choose(holdings, "0/700000")->base.point.id.value, "second");
    EXPECT_EQ(choose(holdings, "0/6FFFFF")->base.point.id.value, "first");
}

TEST(Target, a_gap_is_never_crossed) {
    Holdings holdings = simple();
    holdings.logs.at(1).gaps = {{5 * mib + 300, 6 * mib, "slot lost"}};
    const Error refused = refusal(holdings, "latest");
    EXPECT_EQ(refused.kind, ErrorKind::conflict);
    EXPECT_NE(refused.message.find("is lost (slot lost)"), std::string::npos);
    EXPECT_NE(refused.hint.find("`--to 0/50012C`"), std::string::npos) << refused.hint;
    EXPECT_EQ(until(holdings, "0/50012C"), 5 * mib + 296) << "the last whole record before it";
    EXPECT_EQ(refusal(holdings, "0/700000").kind, ErrorKind::conflict);

    Marks marks(holdings);
    const auto points = list_points(holdings, marks);
    ASSERT_TRUE(points.has_value());
    ASSERT_EQ(points->size(), 2U);
    EXPECT_EQ((*points)[0].problem, "");
    EXPECT_EQ((*points)[1].id, "0/50012C");

    holdings.bases.push_back(base_of("after", 1, 6 * mib, 7 * mib, at(700)));
    EXPECT_EQ(until(holdings, "latest"), 9 * mib + mib / 2) << "a backup behind the gap";
    EXPECT_EQ(until(holdings, "first"), 4 * mib);
}

/// Timeline 2 grew out of 1 at 6 MiB + 8 and holds WAL from that segment on.
Holdings branched() {
    Holdings holdings = simple();
    holdings.histories.emplace(2, History{2, {{1, 6 * mib + 8}}});
    holdings.logs.emplace(2, log_of(2, 6 * mib, 12 * mib));
    return holdings;
}

TEST(Target, follows_the_history_and_leaves_dead_branches_alone) {
    const Holdings holdings = branched();
    const auto latest = choose(holdings, "latest");
    ASSERT_TRUE(latest.has_value()) << latest.error().message;
    EXPECT_EQ(latest->timeline, 2U);
    EXPECT_EQ(latest->until, 12 * mib);
    EXPECT_EQ(latest->stretches, (std::vector<Stretch>{{1, 6 * mib + 8}, {2, 12 * mib}}));
    EXPECT_EQ(choose(holdings, "0/800000")->timeline, 2U) << "not the tail that 1 still had";
    EXPECT_EQ(choose(holdings, "0/500000")->timeline, 1U);
    EXPECT_EQ(choose(holdings, "first")->timeline, 1U);
}

TEST(Target, without_its_own_wal_a_child_begins_where_its_parent_was_left) {
    Holdings holdings = branched();
    holdings.logs.erase(2);
    holdings.bases.push_back(base_of("child", 2, 7 * mib, 8 * mib, at(800)));
    EXPECT_NE(list_points(holdings, *std::make_unique<Marks>(holdings))->at(1).problem, "");
    holdings.bases.pop_back();
    EXPECT_EQ(choose(holdings, "latest")->until, 9 * mib + mib / 2) << "nothing on 2 but a history";
}

TEST(Target, a_parent_may_end_early_when_its_child_repeats_the_segment) {
    Holdings holdings = branched();
    holdings.logs.at(1) = log_of(1, mib, 6 * mib);  // the end of 1 never arrived
    EXPECT_EQ(until(holdings, "latest"), 12 * mib);
    holdings.logs.at(1) = log_of(1, mib, 5 * mib);
    EXPECT_EQ(refusal(holdings, "latest").kind, ErrorKind::conflict);
}

TEST(Target, points_of_a_cluster_are_its_backups_and_one_range) {
    const Holdings holdings = branched();
    Marks marks(holdings);
    const auto points = list_points(holdings, marks);
    ASSERT_TRUE(points.has_value());
    ASSERT_EQ(points->size(), 2U);
    EXPECT_EQ((*points)[0].id, "first");
    EXPECT_EQ((*points)[1].id, "latest");
    EXPECT_EQ((*points)[1].from, at(400));
    EXPECT_EQ((*points)[1].at, at(1200));
    EXPECT_EQ((*points)[1].position, "0/C00000");
}

TEST(StreamStart, begins_goes_on_and_follows_timelines) {
    const History first;
    const History second{2, {{1, 6 * mib + 8}}};
    EXPECT_EQ(next_start({}, first, mib, 3 * mib + 5, 0), (StreamStart{1, 3 * mib, true}));
    const Holdings one = simple();
    const Lsn end = one.logs.at(1).end;
    EXPECT_EQ(next_start(one, first, mib, 3 * mib, 0), (StreamStart{1, end, false}))
        << "not from the slot";
    EXPECT_EQ(next_start(one, second, mib, 8 * mib, 0), (StreamStart{2, 6 * mib, true}));
    const Holdings both = branched();
    EXPECT_EQ(next_start(both, second, mib, 8 * mib, 0),
              (StreamStart{2, both.logs.at(2).end, false}));
    Holdings behind = simple();
    behind.logs.at(1) = log_of(1, mib, 5 * mib);
    EXPECT_EQ(next_start(behind, second, mib, 8 * mib, 0), (StreamStart{1, 5 * mib + 100, false}))
        << "the rest of the parent first";
    EXPECT_EQ(next_start(behind, second, mib, 8 * mib, 1), (StreamStart{2, 6 * mib, true}))
        << "unless nobody has it";
}

TEST(Stretches, are_read_as_they_are_written) {
    const std::vector<Stretch> stretches{{1, 0x5000148}, {3, 0x1600000000}};
    EXPECT_EQ(format_stretches(stretches), "1@0/5000148,3@16/0");
    EXPECT_EQ(*parse_stretches("1@0/5000148,3@16/0"), stretches);
    for (const char* text : {"", "1", "0@0/1", "x@0/1", "1@latest", "1@0/1,"})
        EXPECT_FALSE(parse_stretches(text).has_value()) << text;
}

TEST(Target, a_base_that_was_found_bad_gives_way_to_one_that_reaches_as_far) {
    Holdings holdings = simple();
    holdings.bases.push_back(base_of("second", 1, 5 * mib, 6 * mib, at(600)));
    EXPECT_EQ(choose(holdings, "latest")->base.point.id.value, "second");
    holdings.bases[1].verdicts = {verdict(true, 7 * mib, 800)};
    EXPECT_EQ(choose(holdings, "latest")->base.point.id.value, "first");
    EXPECT_EQ(choose(holdings, "second")->base.point.id.value, "second") << "named";
}

TEST(Target, a_range_is_proven_as_far_as_it_was_looked_at_and_no_further) {
    Holdings holdings = simple();
    const auto latest = [&] {
        Marks marks(holdings);
        return list_points(holdings, marks)->back();
    };
    const std::string end = latest().position;
    // The newest of the proofs went least far.
    holdings.bases[0].verdicts = {verdict(false, 7 * mib, 800), verdict(false, 6 * mib, 900)};
    holdings.bases[0].verdicts[0].as_of = at(700);
    EXPECT_EQ(latest().verdict, "");
    EXPECT_EQ(latest().proven_to, format_lsn(7 * mib));
    EXPECT_EQ(latest().proven_as_of, at(700));
    holdings.bases[0].verdicts.push_back(verdict(false, *parse_lsn(end), 1000));
    EXPECT_EQ(latest().verdict, "proven");
    EXPECT_EQ(latest().proven_to, "");
}

TEST(Target, what_was_found_bad_at_a_position_is_good_before_it) {
    Holdings holdings = simple();
    holdings.bases[0].verdicts = {verdict(true, 7 * mib, 800)};
    const auto refused = choose(holdings, "latest");
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().kind, ErrorKind::conflict);
    EXPECT_TRUE(refused.error().message.contains("public.orders")) << refused.error().message;
    EXPECT_TRUE(choose(holdings, "2026-11-23T11:10:10Z").has_value()) << "six MiB: before it";
    EXPECT_FALSE(choose(holdings, "2026-11-23T11:13:30Z").has_value()) << "eight MiB: behind it";
    EXPECT_TRUE(choose(holdings, format_lsn(8 * mib)).has_value()) << "exactly named";
}

TEST(Target, a_later_proof_that_went_as_far_clears_an_earlier_finding) {
    Holdings holdings = simple();
    Base& base = holdings.bases[0];
    base.verdicts = {verdict(true, 7 * mib, 800), verdict(false, 6 * mib, 900)};
    EXPECT_NE(base.against(9 * mib), nullptr) << "it did not go as far";
    base.verdicts.push_back(verdict(false, 8 * mib, 1000));
    EXPECT_EQ(base.against(9 * mib), nullptr);
    base.verdicts.push_back(verdict(true, 9 * mib, 1100));
    EXPECT_NE(base.against(9 * mib), nullptr);
    EXPECT_EQ(base.against(8 * mib), nullptr);
}

}  // namespace
}  // namespace lifeboat::postgres
