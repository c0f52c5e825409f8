#include "providers/postgres/source_config.h"

#include <gtest/gtest.h>

namespace lifeboat::postgres {
namespace {

RestoredConfig config() {
    RestoredConfig made;
    made.directory = "/srv/dr/database-lb-7f3a";
    made.port = 5512;
    made.limits = {100, 8, 10, 0, 64};
    return made;
}

bool has_line(const std::string& text, const std::string& line) {
    return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

TEST(RestoredConfig, never_talks_to_the_peers_of_its_source) {
    RestoredConfig restored = config();
    restored.source = {{"archive_command", "cp %p /archive/%f"},
                       {"archive_mode", "on"},
                       {"primary_conninfo", "host=10.0.0.1 password=secret"},
                       {"synchronous_standby_names", "*"},
                       {"port", "5432"},
                       {"listen_addresses", "*"},
                       {"recovery_target_time", "yesterday"},
                       {"data_directory", "/var/lib/postgresql/15/main"},
                       {"ssl_cert_file", "/etc/ssl/x.pem"},
                       {"work_mem", "64MB"},
                       {"app.greeting", "it's \\ here"}};
    const std::string text = make_config(restored);
    for (const char* word :
         {"/archive/", "10.0.0.1", "secret", "5432", "yesterday", "/var/lib", "x.pem"})
        EXPECT_EQ(text.find(word), std::string::npos) << word;
    EXPECT_TRUE(has_line(text, "archive_mode = 'off'"));
    EXPECT_TRUE(has_line(text, "listen_addresses = '127.0.0.1'"));
    EXPECT_TRUE(has_line(text, "port = '5512'"));
    EXPECT_TRUE(has_line(text, "synchronous_standby_names = ''"));
    EXPECT_TRUE(has_line(text, "work_mem = '64MB'"));
    EXPECT_TRUE(has_line(text, "app.greeting = 'it''s \\\\ here'"));
}

TEST(RestoredConfig, limits_are_at_least_those_of_the_source) {
    RestoredConfig restored = config();
    restored.source = {{"max_connections", "300"}, {"max_worker_processes", "4"}};
    const std::string text = make_config(restored);
    EXPECT_TRUE(has_line(text, "max_connections = '300'"));
    EXPECT_TRUE(has_line(text, "max_worker_processes = '8'"));
    EXPECT_TRUE(has_line(text, "max_locks_per_transaction = '64'"));
}

TEST(RestoredConfig, buffers_fit_this_machine) {
    RestoredConfig restored = config();
    restored.source = {{"shared_buffers", "64GB"}};
    restored.memory = std::uint64_t{8} << 30U;
    EXPECT_TRUE(has_line(make_config(restored), "shared_buffers = '2097152kB'"));
    restored.source = {{"shared_buffers", "128MB"}};
    EXPECT_TRUE(has_line(make_config(restored), "shared_buffers = '131072kB'"));
}

TEST(RestoredConfig, recovery_settings_are_there_only_while_it_recovers) {
    RestoredConfig restored = config();
    EXPECT_EQ(make_config(restored).find("restore_command"), std::string::npos);
    restored.restore_command = spool_command("/srv/it's 5%/wal");
    restored.recovery_timeline = 3;
    const std::string text = make_config(restored);
    EXPECT_TRUE(has_line(text, "recovery_target_timeline = '3'"));
    EXPECT_TRUE(has_line(text,
                         "restore_command = '{ test -f ''/srv/it''\\\\''''s 5%%/wal''/%f && cp "
                         "''/srv/it''\\\\''''s 5%%/wal''/%f %p; } 2>/dev/null || exit 1'"))
        << text;
}

TEST(RestoredConfig, a_socket_path_that_is_too_long_is_left_out) {
    RestoredConfig restored = config();
    restored.directory = "/srv/" + std::string(100, 'x');
    EXPECT_TRUE(has_line(make_config(restored), "unix_socket_directories = ''"));
}

TEST(Hba, lets_lifeboat_in_by_password_before_the_lines_of_the_source) {
    const std::string text = make_hba("host all all 10.0.0.0/8 trust\n", "backup", true, false);
    EXPECT_LT(text.find("host replication \"backup\" 127.0.0.1/32 md5"), text.find("10.0.0.0/8"));
    EXPECT_EQ(make_hba("local all all trust\n", "x", false, false),
              "# The source's.\nlocal all all trust\n");
    EXPECT_EQ(make_hba("", "x", false, false).find("trust"), std::string::npos);
}

TEST(Hba, of_a_copy_that_is_only_looked_at_trusts_its_own_socket_and_nothing_else) {
    const std::string text = make_hba("local all all reject\n", "backup", true, true);
    EXPECT_LT(text.find("local all all trust"), text.find("local all all reject"));
    EXPECT_EQ(text.find("host all all 127.0.0.1/32 trust"), std::string::npos);
    EXPECT_EQ(make_hba(text, "backup", true, true), text) << "once is enough";
    const std::string recovered = make_hba("local all all reject\n", "backup", true, false);
    const std::string copy = make_hba(recovered, "backup", true, true);
    EXPECT_LT(copy.find("local all all trust"), copy.find("local all all reject"))
        << "of a server that was itself recovered";
}

TEST(RestoredConfig, a_copy_that_is_only_looked_at_does_nothing_of_its_own_accord) {
    RestoredConfig restored = config();
    restored.source["shared_preload_libraries"] = "pg_stat_statements, pg_cron";
    EXPECT_TRUE(make_config(restored).contains("pg_cron")) << "what is recovered keeps its jobs";
    restored.isolated = true;
    const std::string text = make_config(restored);
    EXPECT_TRUE(text.contains("max_logical_replication_workers = '0'\n"));
    EXPECT_TRUE(text.contains("autovacuum = 'off'\n"));
    // The last line of a setting counts.
    const auto last = text.rfind("shared_preload_libraries");
    EXPECT_EQ(text.substr(last, text.find('\n', last) - last),
              "shared_preload_libraries = 'pg_stat_statements'");
}

}  // namespace
}  // namespace lifeboat::postgres
