#include "platform/secret/secret.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/env/real.h"
#include "platform/observe/redact.h"

namespace lifeboat {
namespace {

class SecretTest : public testing::Test {
protected:
    SecretTest() {
        std::string name = "/tmp/lifeboat-secret-XXXXXX";
        directory_ = ::mkdtemp(name.data());
    }
    ~SecretTest() override {
        ::unsetenv("LIFEBOAT_TEST_SECRET");
        EXPECT_TRUE(real_files().remove_tree(directory_));
    }
    std::string file(std::string_view name, std::string_view content, std::uint32_t mode = 0600) {
        const Path path = directory_ / name;
        EXPECT_TRUE(write_file_durably(real_files(), path, as_bytes(content), mode));
        EXPECT_EQ(::chmod(path.c_str(), mode), 0);
        return "file:" + path.string();
    }
    Result<Secret> resolve(std::string_view reference) {
        return SecretResolver(real_environment()).resolve(reference);
    }
    Error error_of(std::string_view reference) {
        const auto secret = resolve(reference);
        EXPECT_FALSE(secret);
        return secret ? Error{} : secret.error();
    }

    Path directory_;
};

TEST_F(SecretTest, knows_a_reference_when_it_sees_one) {
    for (const char* text : {"env:X", "file:/a", "aws-secret:prod/db"})
        EXPECT_TRUE(is_secret_reference(text)) << text;
    for (const char* text : {"", "env:", "hunter2", "ENV:X", " env:X"})
        EXPECT_FALSE(is_secret_reference(text)) << text;
}

TEST_F(SecretTest, reads_the_environment_and_registers_what_it_read) {
    ::setenv("LIFEBOAT_TEST_SECRET", "from-the-environment", 1);
    EXPECT_EQ(resolve("env:LIFEBOAT_TEST_SECRET").value().use(), "from-the-environment");
    EXPECT_EQ(redact("x from-the-environment"), "x ‹secret›");
}

TEST_F(SecretTest, names_a_variable_that_is_not_set_or_empty) {
    EXPECT_EQ(error_of("env:LIFEBOAT_TEST_SECRET").kind, ErrorKind::not_found);
    EXPECT_EQ(error_of("env:LIFEBOAT_TEST_SECRET").message,
              "the environment variable 'LIFEBOAT_TEST_SECRET' is not set");
    ::setenv("LIFEBOAT_TEST_SECRET", "", 1);
    EXPECT_EQ(error_of("env:LIFEBOAT_TEST_SECRET").kind, ErrorKind::not_found);
}

TEST_F(SecretTest, reads_a_file_and_drops_one_newline) {
    EXPECT_EQ(resolve(file("a", "secret of a\n")).value().use(), "secret of a");
    EXPECT_EQ(resolve(file("b", "secret of b\n\n")).value().use(), "secret of b\n");
    EXPECT_EQ(resolve(file("c", "secret of c")).value().use(), "secret of c");
}

TEST_F(SecretTest, refuses_a_file_that_others_can_read) {
    for (const std::uint32_t mode : {0640U, 0604U, 0660U, 0644U}) {
        const Error error = error_of(file("open", "some secret", mode));
        EXPECT_EQ(error.kind, ErrorKind::denied);
        EXPECT_TRUE(error.hint.contains("chmod 600")) << error.hint;
    }
    EXPECT_TRUE(resolve(file("closed", "some secret", 0400)));
}

TEST_F(SecretTest, follows_symlinks_to_the_file_that_counts) {
    (void)file("target", "behind a link");
    ASSERT_EQ(::symlink("target", (directory_ / "link").c_str()), 0);
    EXPECT_EQ(resolve("file:" + (directory_ / "link").string()).value().use(), "behind a link");
    ASSERT_EQ(::chmod((directory_ / "target").c_str(), 0644), 0);
    EXPECT_EQ(error_of("file:" + (directory_ / "link").string()).kind, ErrorKind::denied);
    ASSERT_EQ(::symlink("loop", (directory_ / "loop").c_str()), 0);
    EXPECT_EQ(error_of("file:" + (directory_ / "loop").string()).kind, ErrorKind::invalid);
}

TEST_F(SecretTest, names_a_file_that_is_none) {
    EXPECT_EQ(error_of("file:" + (directory_ / "none").string()).kind, ErrorKind::not_found);
    EXPECT_EQ(error_of("file:" + directory_.string()).kind, ErrorKind::invalid);
}

TEST_F(SecretTest, refuses_what_could_not_be_hidden_in_a_log) {
    EXPECT_EQ(error_of(file("short", "abc\n")).kind, ErrorKind::invalid);
    EXPECT_EQ(error_of(file("empty", "")).kind, ErrorKind::invalid);
}

TEST_F(SecretTest, never_repeats_a_value_given_in_place_of_a_reference) {
    const Error error = error_of("hunter2-in-the-plan");
    EXPECT_EQ(error.kind, ErrorKind::invalid);
    EXPECT_FALSE((error.message + error.hint).contains("hunter2"));
}

TEST_F(SecretTest, says_that_this_build_cannot_ask_aws) {
    EXPECT_EQ(error_of("aws-secret:prod/db").kind, ErrorKind::unsupported);
}

}  // namespace
}  // namespace lifeboat
