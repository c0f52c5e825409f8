#pragma once
/// What every implementation of Files promises. A test instantiates it with a maker of fixtures:
///
///     INSTANTIATE_TYPED_TEST_SUITE_P(Real, FilesContract, RealFixture);
///
/// A fixture has `Files& files()` and `Path directory()`, an empty directory for one test.

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "platform/env/files.h"

namespace lifeboat {

template <class Fixture>
class FilesContract : public testing::Test {
protected:
    Files& files() { return fixture_.files(); }
    Path at(const std::string& name) { return fixture_.directory() / name; }

    void write(const std::string& name, std::string_view text) {
        auto file = files().open(at(name), OpenMode::create_or_empty);
        ASSERT_TRUE(file.has_value()) << file.error().message;
        ASSERT_TRUE((*file)->append(as_bytes(text)).has_value());
    }
    std::string read(const std::string& name) {
        auto bytes = read_file(files(), at(name));
        return bytes.has_value() ? std::string(as_text(*bytes)) : "! " + bytes.error().message;
    }
    std::vector<std::string> names(const std::string& name = "") {
        auto listed = files().list(at(name));
        return listed.has_value() ? *listed
                                  : std::vector<std::string>{"! " + listed.error().message};
    }
    template <class T>
    static ErrorKind kind(const Result<T>& result) {
        EXPECT_FALSE(result.has_value());
        return result.has_value() ? ErrorKind::unsupported : result.error().kind;
    }

private:
    Fixture fixture_;
};

// NOLINTBEGIN(readability-identifier-naming): GoogleTest makes classes of the tests' names
TYPED_TEST_SUITE_P(FilesContract);

TYPED_TEST_P(FilesContract, reads_what_was_written) {
    this->write("file", "hello");
    EXPECT_EQ(this->read("file"), "hello");
    auto file = this->files().open(this->at("file"), OpenMode::read);
    ASSERT_TRUE(file.has_value());
    Bytes buffer(10);
    EXPECT_EQ((*file)->read_at(3, buffer).value(), 2U);  // fewer only at the end
    EXPECT_EQ(as_text(ByteView(buffer).first(2)), "lo");
    EXPECT_EQ((*file)->read_at(5, buffer).value(), 0U);
    EXPECT_EQ((*file)->read_at(500, buffer).value(), 0U);
    EXPECT_EQ((*file)->size().value(), 5U);
}

TYPED_TEST_P(FilesContract, open_modes_do_what_they_say) {
    EXPECT_EQ(this->kind(this->files().open(this->at("f"), OpenMode::read)), ErrorKind::not_found);
    EXPECT_EQ(this->kind(this->files().open(this->at("f"), OpenMode::update)),
              ErrorKind::not_found);
    EXPECT_EQ(this->kind(this->files().open(this->at("no/f"), OpenMode::create)),
              ErrorKind::not_found);
    ASSERT_TRUE(this->files().open(this->at("f"), OpenMode::create).has_value());
    EXPECT_EQ(this->kind(this->files().open(this->at("f"), OpenMode::create)), ErrorKind::conflict);
    this->write("f", "one");
    auto appended = this->files().open(this->at("f"), OpenMode::append);
    ASSERT_TRUE((*appended)->append(as_bytes("two")).has_value());
    EXPECT_EQ(this->read("f"), "onetwo");
    EXPECT_EQ(this->kind((*appended)->write_at(0, as_bytes("x"))), ErrorKind::invalid);
    auto updated = this->files().open(this->at("f"), OpenMode::update);
    ASSERT_TRUE((*updated)->write_at(1, as_bytes("NE")).has_value());
    ASSERT_TRUE((*updated)->append(as_bytes("!")).has_value());
    EXPECT_EQ(this->read("f"), "oNEtwo!");
    ASSERT_TRUE(this->files().open(this->at("f"), OpenMode::create_or_empty).has_value());
    EXPECT_EQ(this->read("f"), "");
    auto reader = this->files().open(this->at("f"), OpenMode::read);
    EXPECT_EQ(this->kind((*reader)->append(as_bytes("x"))), ErrorKind::invalid);
    EXPECT_EQ(this->kind(this->files().open(this->at(""), OpenMode::read)), ErrorKind::invalid);
}

TYPED_TEST_P(FilesContract, append_and_write_at_agree_on_the_end) {
    auto file = this->files().open(this->at("f"), OpenMode::create);
    ASSERT_TRUE((*file)->append(as_bytes("ab")).has_value());
    ASSERT_TRUE((*file)->write_at(4, as_bytes("ef")).has_value());  // a hole of zeros
    ASSERT_TRUE((*file)->append(as_bytes("gh")).has_value());
    EXPECT_EQ(this->read("f"), std::string("ab\0\0efgh", 8));
    ASSERT_TRUE((*file)->truncate(3).has_value());
    ASSERT_TRUE((*file)->append(as_bytes("X")).has_value());
    EXPECT_EQ(this->read("f"), std::string("ab\0X", 4));
    ASSERT_TRUE((*file)->truncate(6).has_value());
    EXPECT_EQ((*file)->size().value(), 6U);
    ASSERT_TRUE((*file)->append({}).has_value());
    EXPECT_TRUE((*file)->sync().has_value());
    EXPECT_EQ((*file)->size().value(), 6U);
}

TYPED_TEST_P(FilesContract, status_tells_type_size_and_permissions) {
    this->write("f", "12345");
    auto file = this->files().open(this->at("g"), OpenMode::create, 0640);
    ASSERT_TRUE(this->files().make_symlink("f", this->at("s")).has_value());
    ASSERT_TRUE(this->files().make_directories(this->at("d"), 0750).has_value());
    auto status = this->files().status(this->at("f"));
    EXPECT_EQ(status->type, FileType::regular);
    EXPECT_EQ(status->size, 5U);
    EXPECT_EQ(status->mode, 0600U);
    EXPECT_EQ(this->files().status(this->at("g"))->mode, 0640U);
    EXPECT_EQ(this->files().status(this->at("s"))->type, FileType::symlink);
    EXPECT_EQ(this->files().status(this->at("d"))->type, FileType::directory);
    EXPECT_EQ(this->files().status(this->at("d"))->mode, 0750U);
    ASSERT_TRUE(this->files().set_permissions(this->at("f"), 0400).has_value());
    EXPECT_EQ(this->files().status(this->at("f"))->mode, 0400U);
    EXPECT_EQ(this->kind(this->files().status(this->at("no"))), ErrorKind::not_found);
    EXPECT_EQ(this->kind(this->files().status(this->at("f/no"))), ErrorKind::not_found);
}

TYPED_TEST_P(FilesContract, lists_names_sorted) {
    for (const char* name : {"b", "a", "c.d", ".hidden"}) this->write(name, "");
    EXPECT_EQ(this->names(), (std::vector<std::string>{".hidden", "a", "b", "c.d"}));
    EXPECT_EQ(this->kind(this->files().list(this->at("no"))), ErrorKind::not_found);
    EXPECT_EQ(this->kind(this->files().list(this->at("a"))), ErrorKind::not_found);
}

TYPED_TEST_P(FilesContract, makes_directories_with_their_parents) {
    ASSERT_TRUE(this->files().make_directories(this->at("a/b/c")).has_value());
    ASSERT_TRUE(this->files().make_directories(this->at("a/b/c/")).has_value());
    EXPECT_EQ(this->names("a/b"), std::vector<std::string>{"c"});
    this->write("a/file", "");
    EXPECT_EQ(this->kind(this->files().make_directories(this->at("a/file"))), ErrorKind::conflict);
}

TYPED_TEST_P(FilesContract, rename_replaces) {
    this->write("a", "new");
    this->write("b", "old");
    ASSERT_TRUE(this->files().rename(this->at("a"), this->at("b")).has_value());
    EXPECT_EQ(this->names(), std::vector<std::string>{"b"});
    EXPECT_EQ(this->read("b"), "new");
    EXPECT_EQ(this->kind(this->files().rename(this->at("a"), this->at("c"))), ErrorKind::not_found);
    EXPECT_EQ(this->kind(this->files().rename(this->at("b"), this->at("no/c"))),
              ErrorKind::not_found);
    ASSERT_TRUE(this->files().make_directories(this->at("d/e")).has_value());
    ASSERT_TRUE(this->files().rename(this->at("d"), this->at("f")).has_value());
    EXPECT_EQ(this->names("f"), std::vector<std::string>{"e"});
    EXPECT_EQ(this->kind(this->files().rename(this->at("b"), this->at("f"))), ErrorKind::invalid);
    EXPECT_EQ(this->kind(this->files().rename(this->at("f"), this->at("f/e/g"))),
              ErrorKind::invalid);
    ASSERT_TRUE(this->files().make_directories(this->at("h")).has_value());
    EXPECT_EQ(this->kind(this->files().rename(this->at("h"), this->at("f"))), ErrorKind::conflict);
}

TYPED_TEST_P(FilesContract, link_gives_a_second_name_and_never_replaces) {
    this->write("a", "text");
    ASSERT_TRUE(this->files().link(this->at("a"), this->at("b")).has_value());
    EXPECT_EQ(this->kind(this->files().link(this->at("a"), this->at("b"))), ErrorKind::conflict);
    ASSERT_TRUE(this->files().remove(this->at("a")).has_value());
    EXPECT_EQ(this->read("b"), "text");
    EXPECT_EQ(this->kind(this->files().link(this->at("a"), this->at("c"))), ErrorKind::not_found);
}

TYPED_TEST_P(FilesContract, symlinks_are_made_read_and_followed) {
    this->write("a", "text");
    ASSERT_TRUE(this->files().make_symlink("a", this->at("s")).has_value());
    ASSERT_TRUE(this->files().make_symlink("loop", this->at("loop")).has_value());
    EXPECT_EQ(this->files().read_symlink(this->at("s")).value(), Path("a"));
    EXPECT_EQ(this->read("s"), "text");
    EXPECT_EQ(this->kind(this->files().open(this->at("loop"), OpenMode::read)), ErrorKind::invalid);
    EXPECT_EQ(this->kind(this->files().read_symlink(this->at("a"))), ErrorKind::invalid);
    EXPECT_EQ(this->kind(this->files().make_symlink("a", this->at("s"))), ErrorKind::conflict);
    EXPECT_EQ(this->kind(this->files().open(this->at("s"), OpenMode::create)), ErrorKind::conflict);
    ASSERT_TRUE(this->files().remove(this->at("s")).has_value());
    EXPECT_EQ(this->read("a"), "text");
}

TYPED_TEST_P(FilesContract, remove_takes_files_and_empty_directories) {
    this->write("a", "");
    ASSERT_TRUE(this->files().make_directories(this->at("d/e")).has_value());
    EXPECT_EQ(this->kind(this->files().remove(this->at("d"))), ErrorKind::conflict);
    EXPECT_TRUE(this->files().remove(this->at("d/e")).has_value());
    EXPECT_TRUE(this->files().remove(this->at("d")).has_value());
    EXPECT_TRUE(this->files().remove(this->at("a")).has_value());
    EXPECT_EQ(this->kind(this->files().remove(this->at("a"))), ErrorKind::not_found);
    EXPECT_TRUE(this->names().empty());
}

TYPED_TEST_P(FilesContract, remove_tree_never_follows_symlinks) {
    ASSERT_TRUE(this->files().make_directories(this->at("tree/a/b")).has_value());
    ASSERT_TRUE(this->files().make_directories(this->at("outside")).has_value());
    this->write("tree/a/file", "x");
    this->write("outside/file", "kept");
    ASSERT_TRUE(this->files().make_symlink(this->at("outside"), this->at("tree/s")).has_value());
    ASSERT_TRUE(this->files().remove_tree(this->at("tree")).has_value());
    EXPECT_EQ(this->names(), std::vector<std::string>{"outside"});
    ASSERT_TRUE(this->files().make_symlink("outside", this->at("s")).has_value());
    ASSERT_TRUE(this->files().remove_tree(this->at("s")).has_value());
    EXPECT_EQ(this->read("outside/file"), "kept");
    EXPECT_TRUE(this->files().remove_tree(this->at("absent")).has_value());
    EXPECT_TRUE(this->files().remove_tree(this->at("absent/below")).has_value());
    EXPECT_EQ(this->names(), std::vector<std::string>{"outside"});
}

TYPED_TEST_P(FilesContract, an_open_file_outlives_its_name) {
    auto file = this->files().open(this->at("a"), OpenMode::create);
    ASSERT_TRUE((*file)->append(as_bytes("text")).has_value());
    ASSERT_TRUE(this->files().remove(this->at("a")).has_value());
    EXPECT_EQ((*file)->size().value(), 4U);
    EXPECT_TRUE((*file)->sync().has_value());
}

TYPED_TEST_P(FilesContract, lock_has_one_holder) {
    auto held = this->files().lock(this->at("lock"));
    ASSERT_TRUE(held.has_value());
    auto second = this->files().lock(this->at("lock"));
    EXPECT_EQ(this->kind(second), ErrorKind::conflict);
    EXPECT_NE(second.error().message.find("is locked by"), std::string::npos);
    held->reset();
    EXPECT_TRUE(this->files().lock(this->at("lock")).has_value());
    EXPECT_EQ(this->kind(this->files().lock(this->at("no/lock"))), ErrorKind::not_found);
}

TYPED_TEST_P(FilesContract, read_file_is_bounded) {
    this->write("f", std::string(5000, 'x'));
    EXPECT_EQ(read_file(this->files(), this->at("f"), 5000)->size(), 5000U);
    EXPECT_EQ(this->kind(read_file(this->files(), this->at("f"), 4999)), ErrorKind::exhausted);
    EXPECT_EQ(this->kind(read_file(this->files(), this->at("no"))), ErrorKind::not_found);
    this->write("empty", "");
    EXPECT_TRUE(read_file(this->files(), this->at("empty"), 0)->empty());
}

TYPED_TEST_P(FilesContract, write_file_durably_replaces_and_leaves_nothing_else) {
    ASSERT_TRUE(write_file_durably(this->files(), this->at("f"), as_bytes("one")).has_value());
    ASSERT_TRUE(
        write_file_durably(this->files(), this->at("f"), as_bytes("two"), 0640).has_value());
    EXPECT_EQ(this->read("f"), "two");
    EXPECT_EQ(this->files().status(this->at("f"))->mode, 0640U);
    EXPECT_EQ(this->names(), std::vector<std::string>{"f"});
    EXPECT_EQ(this->kind(write_file_durably(this->files(), this->at("no/f"), as_bytes("x"))),
              ErrorKind::not_found);
    this->write(".f.tmp-0", "left by a crash");
    ASSERT_TRUE(write_file_durably(this->files(), this->at("f"), as_bytes("three")).has_value());
    EXPECT_EQ(this->read("f"), "three");
    ASSERT_TRUE(this->files().make_directories(this->at("d")).has_value());
    EXPECT_FALSE(write_file_durably(this->files(), this->at("d"), as_bytes("x")).has_value());
    EXPECT_EQ(this->names(), (std::vector<std::string>{".f.tmp-0", "d", "f"}));
}

TYPED_TEST_P(FilesContract, syncs_directories_and_file_systems) {
    this->write("f", "x");
    EXPECT_TRUE(this->files().sync_directory(this->at("")).has_value());
    EXPECT_TRUE(this->files().sync_all(this->at("")).has_value());
    EXPECT_TRUE(this->files().sync_all(this->at("f")).has_value());
    EXPECT_EQ(this->kind(this->files().sync_directory(this->at("no"))), ErrorKind::not_found);
    EXPECT_EQ(this->kind(this->files().sync_directory(this->at("f"))), ErrorKind::not_found);
    EXPECT_GT(this->files().free_space(this->at("")).value(), 0U);
    EXPECT_EQ(this->kind(this->files().free_space(this->at("no"))), ErrorKind::not_found);
}

REGISTER_TYPED_TEST_SUITE_P(
    FilesContract, reads_what_was_written, open_modes_do_what_they_say,
    append_and_write_at_agree_on_the_end, status_tells_type_size_and_permissions,
    lists_names_sorted, makes_directories_with_their_parents, rename_replaces,
    link_gives_a_second_name_and_never_replaces, symlinks_are_made_read_and_followed,
    remove_takes_files_and_empty_directories, remove_tree_never_follows_symlinks,
    an_open_file_outlives_its_name, lock_has_one_holder, read_file_is_bounded,
    write_file_durably_replaces_and_leaves_nothing_else, syncs_directories_and_file_systems);
// NOLINTEND(readability-identifier-naming)

}  // namespace lifeboat
