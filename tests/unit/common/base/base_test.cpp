#include <array>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sstream>
#include <unistd.h>

#include "common/base/encoding.hpp"
#include "common/base/log.hpp"
#include "common/base/metrics.hpp"
#include "common/base/random.hpp"
#include "common/base/secret.hpp"

namespace mailid::base {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Base64, IsThatOfTheRfc) {
  const std::pair<std::string, std::string> pairs[] = {{"", ""},
                                                       {"f", "Zg=="},
                                                       {"fo", "Zm8="},
                                                       {"foo", "Zm9v"},
                                                       {"foob", "Zm9vYg=="},
                                                       {"fooba", "Zm9vYmE="},
                                                       {"foobar", "Zm9vYmFy"},
                                                       {"\xff\xfe", "//4="}};
  for (const auto& [bytes, text] : pairs) {
    EXPECT_EQ(base64_encode(bytes), text);
    EXPECT_EQ(base64_decode(text), bytes);
  }
}

TEST(Base64, RefusesWhatIsNotStrict) {
  for (const char* text : {"Zg", "Zg=", "Zh==", "Zm 9v", "Zm9v\n", "Z===", "====", "_-8="}) {
    EXPECT_EQ(base64_decode(text), std::nullopt) << text;
  }
}

TEST(Base64Url, HasNoPadding) {
  EXPECT_EQ(base64url_decode("__4"), "\xff\xfe");
  EXPECT_EQ(base64url_decode("__4="), std::nullopt);
  EXPECT_EQ(base64url_decode("//4"), std::nullopt);
}

TEST(Rfc3339, ReadsWhatItWrites) {
  const auto time = parse_rfc3339("2026-11-24T05:06:07Z");
  ASSERT_TRUE(time);
  EXPECT_EQ(format_rfc3339(*time), "2026-11-24T05:06:07Z");
}

TEST(Rfc3339, TakesOffsetsAndFractions) {
  EXPECT_EQ(parse_rfc3339("2026-11-24T06:36:07.25+01:30"),
            *parse_rfc3339("2026-11-24T05:06:07Z") + Duration(250));
  EXPECT_EQ(parse_rfc3339("2026-11-23T23:06:07-06:00"), parse_rfc3339("2026-11-24T05:06:07Z"));
}

TEST(Rfc3339, RefusesWhatIsNoTime) {
  for (const char* text :
       {"", "2026-11-24", "2026-02-30T00:00:00Z", "2026-11-24T24:00:00Z", "2026-11-24T05:06:07",
        "2026-11-24T05:06:07Zx", "2026-11-24T05:06:07.Z", "26-11-24T05:06:07Z"}) {
    EXPECT_EQ(parse_rfc3339(text), std::nullopt) << text;
  }
}

TEST(FormUrlencode, EncodesAllButTheUnreserved) {
  EXPECT_EQ(form_urlencode("a b+c&d=é~*"), "a+b%2Bc%26d%3D%C3%A9%7E*");
}

TEST(JsonQuote, EscapesControlBytesAndReplacesWhatIsNotUtf8) {
  EXPECT_EQ(json_quote("a\"b\\c\n\x01é"), R"("a\"b\\c\u000a\u0001é")");
  EXPECT_EQ(json_quote("\xff\xc0\xaf\xed\xa0\x80"), "\"\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\"");
}

TEST(Encoding, KnowsUtf8) {
  EXPECT_TRUE(is_utf8(""));
  EXPECT_TRUE(is_utf8("j\u00fcrgen@b\u00fccher.example \U0001F4E7"));
  for (const auto* wrong : {"\xff", "\xc0\xaf", "\xed\xa0\x80", "\xc3", "a\xe2\x82"})
    EXPECT_FALSE(is_utf8(wrong));
}

TEST(Iequals, LooksAtAsciiLettersOnly) {
  EXPECT_TRUE(iequals("Content-TYPE", "content-type"));
  EXPECT_FALSE(iequals("content", "content-type"));
}

class FixedClock final : public Clock {
 public:
  Time now() const override { return *parse_rfc3339("2026-11-24T05:06:07Z"); }
  SteadyTime steady_now() const override { return {}; }
};

TEST(Log, WritesOneJsonObjectALine) {
  FixedClock clock;
  std::string text;
  const Log log(clock, LogLevel::Info, [&text](std::string_view line) { text += line; });
  log.debug("not this");
  log.info("two\nlines", {{"name", "x"}, {"count", 3}, {"share", 0.5}, {"done", true}});
  EXPECT_EQ(
      text,
      "{\"time\":\"2026-11-24T05:06:07Z\",\"level\":\"info\",\"message\":\"two\\u000alines\",\"name\":\"x\","
      "\"count\":3,\"share\":0.5,\"done\":true}\n");
}

/// Standard error is a pipe for as long as this lives.
class PipeForStderr {
 public:
  PipeForStderr() : kept_(::dup(STDERR_FILENO)) {
    EXPECT_EQ(::pipe2(ends_.data(), O_CLOEXEC), 0);
    ::dup2(ends_[1], STDERR_FILENO);
  }
  PipeForStderr(const PipeForStderr&) = delete;
  PipeForStderr& operator=(const PipeForStderr&) = delete;
  ~PipeForStderr() {
    ::dup2(kept_, STDERR_FILENO);
    for (const int descriptor : {kept_, ends_[0], ends_[1]}) ::close(descriptor);
  }

  std::string read() {
    std::string text(1'000'000, '\0');
    const auto count = ::read(ends_[0], text.data(), text.size());
    text.resize(count < 0 ? 0 : static_cast<std::size_t>(count));
    return text;
  }

 private:
  int kept_;
  std::array<int, 2> ends_{};
};

TEST(Log, NeverWaitsForWhoeverReadsStandardError) {
  const FixedClock clock;
  const Log log(clock);
  PipeForStderr pipe;
  // More than a pipe holds, in lines shorter and longer than what it takes at once.
  for (const std::size_t size : {100UL, 3'000UL, 10'000UL}) {
    for (int i = 0; i < 100; ++i) log.info(std::string(size, 'x'));
  }
  EXPECT_THAT(pipe.read(), testing::StartsWith("{\"time\""));
  log.info("heard again");
  EXPECT_THAT(pipe.read(), testing::HasSubstr("heard again"));
}

TEST(RedactAddress, KeepsTheFirstLetterAndTheDomain) {
  EXPECT_EQ(redact_address("billing@contoso.test"), "b***@contoso.test");
  EXPECT_EQ(redact_address("billing"), "***");
}

TEST(Metrics, AreWrittenAsPrometheusText) {
  Metrics metrics;
  metrics.describe_counter("requests_total", "Requests.");
  metrics.describe_histogram("seconds", "Time.", {0.1, 1});
  metrics.add("requests_total", {{"code", "2\"0\n0"}}, 2);
  metrics.observe("seconds", {}, 0.5);
  EXPECT_EQ(metrics.render(),
            "# HELP requests_total Requests.\n# TYPE requests_total "
            "counter\nrequests_total{code=\"2\\\"0\\n0\"} 2\n"
            "# HELP seconds Time.\n# TYPE seconds histogram\nseconds_bucket{le=\"0.1\"} "
            "0\nseconds_bucket{le=\"1\"} 1\n"
            "seconds_bucket{le=\"+Inf\"} 1\nseconds_sum 0.5\nseconds_count 1\n");
}

TEST(Metrics, ForgetWhatIsGone) {
  Metrics metrics;
  metrics.describe_gauge("ready", "Ready.");
  metrics.set("ready", {{"namespace", "a"}, {"name", "x"}}, 1);
  metrics.set("ready", {{"namespace", "b"}, {"name", "x"}}, 1);
  metrics.set("ready", {{"namespace", "a"}, {"name", "y"}}, 1);
  metrics.remove("ready", {{"namespace", "a"}, {"name", "x"}});
  EXPECT_THAT(metrics.render(), Not(HasSubstr("{namespace=\"a\",name=\"x\"}")));
  EXPECT_EQ(metrics.value("ready", {{"namespace", "a"}, {"name", "y"}}), 1);
  EXPECT_EQ(metrics.value("ready", {{"namespace", "b"}, {"name", "x"}}), 1);
}

TEST(Secret, PrintsAsStars) {
  std::ostringstream out;
  out << Secret("hunter2");
  EXPECT_EQ(out.str(), "***");
}

TEST(Secret, MovesAndLeavesNothingBehind) {
  Secret first("hunter2");
  const Secret second = std::move(first);
  EXPECT_EQ(second.reveal(), "hunter2");
  EXPECT_TRUE(first.empty());  // NOLINT(bugprone-use-after-move): what is left is the point
}

TEST(Secret, ComparesItsBytes) {
  EXPECT_TRUE(Secret("a") == Secret("a"));
  EXPECT_FALSE(Secret("a") == Secret("b"));
  EXPECT_FALSE(Secret("a") == Secret("aa"));
}

TEST(Wipe, OverwritesAndEmpties) {
  std::string text(100, 's');
  const char* bytes = text.data();
  wipe(text);
  EXPECT_TRUE(text.empty());
  EXPECT_EQ(bytes[50], '\0');
}

TEST(RandomBelow, StaysBelow) {
  SystemRandom random;
  for (int i = 0; i < 100; ++i) EXPECT_LT(random_below(random, 3), 3U);
  EXPECT_EQ(random_below(random, 0), 0U);
}

TEST(RandomHex, HasTwoDigitsForEachByte) {
  SystemRandom random;
  EXPECT_THAT(random_hex(random, 8), testing::MatchesRegex("[0-9a-f]{16}"));
}

}  // namespace
}  // namespace mailid::base
