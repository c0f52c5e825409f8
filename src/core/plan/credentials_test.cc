#include "core/plan/credentials.h"

#include <gtest/gtest.h>

namespace lifeboat::plan {
namespace {

/// The secrets that a command gives away, one behind the other.
std::string found(std::string_view text) {
    std::string all;
    for (const Credential& one : credentials_of_commands(text))
        all += (all.empty() ? "" : ", ") + std::string(text.substr(one.at, one.size));
    return all;
}

TEST(Credentials, are_found_in_what_a_command_is_given) {
    EXPECT_EQ(found("PGPASSWORD=hunter2 psql -h db"), "hunter2");
    EXPECT_EQ(found("export AWS_SECRET_ACCESS_KEY=wJalr/bPx"), "wJalr/bPx");
    EXPECT_EQ(found("export API_TOKEN='a b'; MYSQL_PWD=\"c\" mysql"), "a b, c");
    EXPECT_EQ(found("curl -u ann:pass https://x"), "pass");
    EXPECT_EQ(found("curl -uann:pass --proxy-user 'ben:word' https://x"), "pass, word");
    EXPECT_EQ(found("curl -H 'Authorization: Bearer abc.def' https://x"), "abc.def");
    EXPECT_EQ(found("curl -H \"Authorization: Basic YWJj\" https://x"), "YWJj");
    EXPECT_EQ(found("curl -H 'X-Vault-Token: s.1234' https://x"), "s.1234");
    EXPECT_EQ(found("http POST x \"Bearer abc\""), "abc");
    EXPECT_EQ(found("curl -d '{\"password\": \"p\"}' https://x?token=t"), "p, t");
    EXPECT_EQ(found("tool --password hunter2 --token=t1"), "hunter2, t1");
    EXPECT_EQ(found("kubectl create secret generic s --from-literal=password=p"), "p");
    EXPECT_EQ(found("psql postgresql://a:b@h/d && psql postgresql://a:c@h/d"), "b, c");
    EXPECT_EQ(found("redis-cli -a pass PING | sshpass -pword ssh h"), "pass, word");
    EXPECT_EQ(found("mysql -u root -psecret db"), "secret");
    EXPECT_EQ(found("tool \\\n  --password \\\n  hunter2"), "hunter2");
}

TEST(Credentials, are_not_what_only_stands_for_one) {
    for (const char* text : {"PGPASSWORD=$PW psql",
                             "PGPASSWORD=\"$(cat pw)\" psql",
                             "curl -u \"ann:$PASS\" https://x",
                             "curl -u ann https://x",
                             "curl -H \"Authorization: Bearer $TOKEN\" https://x",
                             "curl -H 'Authorization: OAuth YOUR_API_KEY'",
                             "tool --password-file pw",
                             "tool --password",
                             "tool --token --verbose",
                             "export TOKEN={{ parameters.token }}",
                             "echo 'token: expired'",
                             "PGPASSFILE=.pgpass psql",
                             "PASSWORD_FILE=/run/pw tool",
                             "token=env:TOKEN tool",
                             "tool --token <token>",
                             "docker build --secret id=x .",
                             "if [ \"$PASSWORD\" == x ]; then",
                             "ssh -p 22 host",
                             "mkdir -p dir",
                             "mysql -p db",
                             "aws iam delete-access-key --user-name a",
                             "the bearer of news",
                             "API_TOKEN= tool",
                             "tool --use-token=true",
                             "postgresql://user@host/d",
                             "postgresql://user:****@host/d"})
        EXPECT_EQ(found(text), "") << text;
}

TEST(Credentials, of_a_long_text_are_looked_for_once) {
    for (const std::string_view piece :
         {"password=", "x-token:", "--password\\a\\", "Bearer ", "http://a:b@", "\"token\":'",
          "curl -u a:", "=", ":", "--", "\\"}) {
        std::string text;
        while (text.size() < 400'000) text += piece;
        EXPECT_LT(credentials_of_commands(text).size(), 100'000U) << piece;
    }
}

TEST(Credentials, say_what_they_are) {
    const auto all = credentials_of_commands("PGPASSWORD=x curl -u a:b http://c:d@e Bearer f");
    ASSERT_EQ(all.size(), 4U);
    EXPECT_EQ(all[0].what, "the value of PGPASSWORD");
    EXPECT_EQ(all[1].what, "a password for curl");
    EXPECT_EQ(all[2].what, "a password in a URL");
    EXPECT_EQ(all[3].what, "a bearer token");
    EXPECT_TRUE(credentials_of_commands("").empty());
}

}  // namespace
}  // namespace lifeboat::plan
