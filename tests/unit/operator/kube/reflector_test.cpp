#include "operator/kube/reflector.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "tests/unit/operator/kube/kube_fixture.hpp"

namespace mailid::kube {
namespace {

using namespace std::chrono_literals;
using Kind = TransportError::Kind;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

std::string object(const std::string& name, int version, const std::string& uid = "u") {
  return fmt::format(
      R"({{"metadata":{{"namespace":"shop","name":"{}","uid":"{}-{}","resourceVersion":"{}","managedFields":[{{}}]}}}})",
      name, name, uid, version);
}

std::string page(const std::vector<std::string>& objects, int version, const std::string& more = {}) {
  std::string items;
  for (const auto& item : objects) items += (items.empty() ? "" : ",") + item;
  return fmt::format(
      R"({{"kind":"List","metadata":{{"resourceVersion":"{}","continue":"{}"}},"items":[{}]}})", version,
      more, items);
}

std::string line(const std::string& type, const std::string& of) {
  return fmt::format("{{\"type\":\"{}\",\"object\":{}}}\n", type, of);
}

std::string bookmark(int version) {
  return line("BOOKMARK", fmt::format(R"({{"metadata":{{"resourceVersion":"{}"}}}})", version));
}

std::string error_line(int code, const std::string& reason) {
  return line("ERROR",
              fmt::format(R"({{"kind":"Status","code":{},"reason":"{}","message":"m"}})", code, reason));
}

/// A reflector of `/apis/x/v1/things`; what it reports becomes words: `+a` added, `~a` modified, `-a` deleted.
class ReflectorTest : public KubeTest, public WatchHandler {
 protected:
  void on_event(WatchEvent event) override {
    const auto parsed = nlohmann::json::parse(event.object);
    constexpr std::string_view kMarks = "+~-";
    told_.push_back(kMarks[static_cast<std::size_t>(event.type)] +
                    parsed["metadata"]["name"].get<std::string>());
    last_ = event.object;
  }
  void on_synced() override { told_.emplace_back("synced"); }

  void start_after_being_told_to_wait(const std::string& seconds) {
    transport_.answer(503, R"({"kind":"Status","details":{"retryAfterSeconds":)" + seconds + "}}");
    transport_.answer(200, page({}, 7));
    transport_.watch();
    start();
  }
  void start() {
    asio::co_spawn(loop_.context(), reflector_.run(), [this](const std::exception_ptr& failure) {
      EXPECT_FALSE(failure);
      ended_ = true;
    });
    loop_.poll();
  }

  /// What was reported since the last look.
  std::vector<std::string> told() {
    loop_.poll();
    return std::exchange(told_, {});
  }
  /// Targets of the requests since the last look, without the part that is random.
  std::vector<std::string> asked() {
    std::vector<std::string> targets;
    for (const auto& sent : std::exchange(transport_.sent, {})) {
      targets.push_back(sent.target.substr(0, sent.target.find("&timeoutSeconds")));
    }
    return targets;
  }

  Reflector reflector_{loop_.executor(), client_, timer_, random_, log_, *this, {"/apis/x/v1/things", "", 2}};
  std::vector<std::string> told_;
  std::string last_;
  bool ended_ = false;
};

constexpr const char* kList = "/apis/x/v1/things?limit=2";
std::string watch_from(int version) {
  return "/apis/x/v1/things?watch=1&allowWatchBookmarks=true&resourceVersion=" + std::to_string(version);
}

TEST_F(ReflectorTest, ListsThenWatchesFromThere) {
  transport_.answer(200, page({object("a", 1)}, 7));
  const auto watch = transport_.watch();
  start();
  EXPECT_THAT(told(), ElementsAre("+a", "synced"));
  EXPECT_TRUE(reflector_.synced());
  watch->say(line("ADDED", object("b", 8)));
  watch->say(line("MODIFIED", object("a", 9)));
  watch->say(line("DELETED", object("b", 10)));
  EXPECT_THAT(told(), ElementsAre("+b", "~a", "-b"));
  EXPECT_THAT(asked(), ElementsAre(kList, watch_from(7)));
}

TEST_F(ReflectorTest, AsksForOnePageAfterTheOther) {
  transport_.answer(200, page({object("a", 1), object("b", 2)}, 7, "next/1"));
  transport_.answer(200, page({object("c", 3)}, 7));
  transport_.watch();
  start();
  EXPECT_THAT(told(), ElementsAre("+a", "+b", "+c", "synced"));
  EXPECT_EQ(asked()[1], std::string(kList) + "&continue=next%2F1");
}

TEST_F(ReflectorTest, AsksForFewerObjectsWhereAPageIsTooLarge) {
  transport_.answer(200, page({object("a", 1), object("b", 2)}, 7, "next"));
  transport_.fail(Kind::TooLarge);
  transport_.answer(200, page({object("c", 3)}, 7, "last"));
  transport_.answer(200, page({object("d", 4)}, 7));
  transport_.watch();
  start();
  EXPECT_THAT(told(), ElementsAre("+a", "+b", "+c", "+d", "synced"));
  EXPECT_THAT(asked(), ElementsAre(kList, std::string(kList) + "&continue=next",
                                   "/apis/x/v1/things?limit=1&continue=next",
                                   "/apis/x/v1/things?limit=1&continue=last", watch_from(7)));
}

TEST_F(ReflectorTest, TriesAgainLaterWhereEvenOneObjectIsTooLarge) {
  transport_.fail(Kind::TooLarge);
  transport_.fail(Kind::TooLarge);
  transport_.answer(200, page({object("a", 1)}, 7));
  transport_.watch();
  start();
  EXPECT_THAT(told(), IsEmpty());
  EXPECT_THAT(asked(), ElementsAre(kList, "/apis/x/v1/things?limit=1"));
  advance(1s);
  EXPECT_THAT(told(), ElementsAre("+a", "synced"));
}

TEST_F(ReflectorTest, ReportsObjectsWithoutTheirManagedFields) {
  transport_.answer(200, page({object("a", 1)}, 7));
  transport_.watch();
  start();
  EXPECT_THAT(last_, HasSubstr(R"("name":"a")"));
  EXPECT_THAT(last_, Not(HasSubstr("managedFields")));
}

TEST_F(ReflectorTest, TakesEventsThatComeInPieces) {
  transport_.answer(200, page({}, 7));
  const auto watch = transport_.watch();
  start();
  told();
  const auto bytes = line("ADDED", object("a", 8)) + line("ADDED", object("b", 9));
  for (const char c : bytes) watch->say(std::string(1, c));
  EXPECT_THAT(told(), ElementsAre("+a", "+b"));
}

TEST_F(ReflectorTest, GoesOnFromTheLastBookmark) {
  transport_.answer(200, page({}, 7));
  const auto first = transport_.watch();
  transport_.watch();
  start();
  first->say(bookmark(50));
  first->end();
  advance(1s);
  EXPECT_THAT(asked(), ElementsAre(kList, watch_from(7), watch_from(50)));
}

TEST_F(ReflectorTest, WatchesAgainAtOnceWhenTheServerEndsAWatch) {
  transport_.answer(200, page({}, 7));
  const auto first = transport_.watch();
  transport_.watch();
  start();
  first->say(line("ADDED", object("a", 9)));
  first->end();
  loop_.poll();
  EXPECT_THAT(asked(), ElementsAre(kList, watch_from(7), watch_from(9)));
  EXPECT_TRUE(first->dropped);
}

TEST_F(ReflectorTest, WaitsBeforeItWatchesAServerAgainThatEndsWatchesAtOnce) {
  transport_.answer(200, page({}, 7));
  transport_.watch()->end();
  transport_.watch();
  start();
  EXPECT_THAT(asked(), SizeIs(2));
  advance(1s);
  EXPECT_THAT(asked(), ElementsAre(watch_from(7)));
}

TEST_F(ReflectorTest, GoesOnWhereADroppedStreamEnded) {
  transport_.answer(200, page({object("a", 1)}, 7));
  const auto first = transport_.watch();
  const auto second = transport_.watch();
  start();
  first->say(line("MODIFIED", object("a", 9)) + R"({"type":"MODI)");
  first->fail(Kind::Broken);
  advance(1s);
  second->say(line("MODIFIED", object("a", 10)));
  EXPECT_THAT(told(), ElementsAre("+a", "synced", "~a", "~a"));
  EXPECT_THAT(asked(), ElementsAre(kList, watch_from(7), watch_from(9)));
}

TEST_F(ReflectorTest, WatchesAgainWithoutAWordWhereNothingIsHeard) {
  transport_.answer(200, page({}, 7));
  const auto first = transport_.watch();
  transport_.watch();
  start();
  first->fail(Kind::TimedOut);
  EXPECT_THAT(told(), ElementsAre("synced"));
  EXPECT_THAT(asked(), ElementsAre(kList, watch_from(7), watch_from(7)));
  EXPECT_THAT(logged_, Not(HasSubstr("failed")));
}

TEST_F(ReflectorTest, ListsAgainWhenTheServerHasForgottenWhereWeWere) {
  for (const bool in_stream : {true, false}) {
    SCOPED_TRACE(in_stream);
    transport_.sent.clear();
    transport_.answer(200, page({object("a", 1)}, 7));
    if (in_stream) {
      transport_.watch()->say(error_line(410, "Expired"));
    } else {
      transport_.refuse_watch(410, R"({"kind":"Status","code":410,"reason":"Expired"})");
    }
    transport_.answer(200, page({object("b", 20)}, 30));
    transport_.watch();
    Reflector reflector(loop_.executor(), client_, timer_, random_, log_, *this,
                        {"/apis/x/v1/things", "", 2});
    asio::co_spawn(loop_.context(), reflector.run(), asio::detached);
    advance(1s);
    EXPECT_THAT(told(), ElementsAre("+a", "synced", "+b", "-a", "synced"));
    EXPECT_THAT(asked(), ElementsAre(kList, watch_from(7), kList, watch_from(30)));
    reflector.stop();
    loop_.poll();
  }
}

TEST_F(ReflectorTest, SaysWhatIsKnownOfAnObjectThatWentWhileNobodyWatched) {
  transport_.answer(200, page({object("a", 1)}, 7));
  transport_.refuse_watch(410);
  transport_.answer(200, page({}, 30));
  transport_.watch();
  start();
  advance(1s);
  EXPECT_EQ(nlohmann::json::parse(last_),
            nlohmann::json::parse(R"({"metadata":{"namespace":"shop","name":"a","uid":"a-u"}})"));
}

TEST_F(ReflectorTest, ReportsNothingForWhatAListShowsUnchanged) {
  transport_.answer(200, page({object("a", 1), object("b", 2)}, 7));
  transport_.refuse_watch(410);
  transport_.answer(200, page({object("a", 1), object("b", 9)}, 30));
  transport_.watch();
  start();
  advance(1s);
  EXPECT_THAT(told(), ElementsAre("+a", "+b", "synced", "~b", "synced"));
}

TEST_F(ReflectorTest, ReportsAnObjectMadeAnewAsGoneAndNew) {
  transport_.answer(200, page({object("a", 1)}, 7));
  transport_.refuse_watch(410);
  transport_.answer(200, page({object("a", 20, "other")}, 30));
  transport_.watch();
  start();
  advance(1s);
  EXPECT_THAT(told(), ElementsAre("+a", "synced", "-a", "+a", "synced"));
}

TEST_F(ReflectorTest, BeginsAListAnewThatBrokeInTheMiddle) {
  transport_.answer(200, page({object("a", 1), object("b", 2)}, 7, "more"));
  transport_.answer(410, R"({"kind":"Status","code":410,"reason":"Expired"})");
  transport_.answer(200, page({object("a", 1), object("c", 3)}, 8));
  transport_.watch();
  start();
  EXPECT_FALSE(reflector_.synced());
  advance(1s);
  EXPECT_THAT(told(), ElementsAre("+a", "+b", "+c", "-b", "synced"));
}

TEST_F(ReflectorTest, TriesForEverAndEverSlower) {
  start();
  advance(10min);
  const auto tries = asked().size();
  EXPECT_GT(tries, 20);
  EXPECT_LT(tries, 50);
  EXPECT_THAT(logged_, HasSubstr("the test has no answer left"));
  transport_.answer(200, page({object("a", 1)}, 7));
  transport_.watch();
  advance(31s);
  EXPECT_THAT(told(), ElementsAre("+a", "synced"));
}

TEST_F(ReflectorTest, ListsAgainAfterAFewWatchesThatFail) {
  transport_.answer(200, page({}, 7));
  for (int i = 0; i < 5; ++i) transport_.refuse_watch(504);
  transport_.answer(200, page({}, 3));
  transport_.watch();
  start();
  advance(2min);
  EXPECT_THAT(asked(), ElementsAre(kList, watch_from(7), watch_from(7), watch_from(7), watch_from(7),
                                   watch_from(7), kList, watch_from(3)));
}

TEST_F(ReflectorTest, ObeysARetryAfter) {
  start_after_being_told_to_wait("60");
  advance(59s);
  EXPECT_FALSE(reflector_.synced());
  advance(2s);
  EXPECT_TRUE(reflector_.synced());
}

TEST_F(ReflectorTest, WaitsNoLongerThanFiveMinutesWhateverIsAsked) {
  start_after_being_told_to_wait("4000000000");
  advance(301s);
  EXPECT_TRUE(reflector_.synced());
}

TEST_F(ReflectorTest, TakesAnAnswerThatIsNoListForAFailure) {
  transport_.answer(200, "<html>");
  transport_.answer(200, page({object("a", 1)}, 7));
  transport_.watch();
  start();
  EXPECT_THAT(told(), IsEmpty());
  advance(1s);
  EXPECT_THAT(told(), ElementsAre("+a", "synced"));
}

TEST_F(ReflectorTest, LetsGoOfAStreamThatIsNoWatch) {
  transport_.answer(200, page({}, 7));
  const auto first = transport_.watch();
  transport_.watch();
  start();
  first->say("not json\n");
  advance(1s);
  EXPECT_TRUE(first->dropped);
  EXPECT_THAT(asked(), SizeIs(3));
}

TEST_F(ReflectorTest, LeavesOutWhatIsNestedTooDeep) {
  std::string deep = "1";
  for (int i = 0; i < 5000; ++i) deep.insert(0, R"({"x":)") += '}';
  const auto evil = R"({"metadata":{"name":"a","uid":"u","resourceVersion":"1"},"spec":)" + deep + "}";
  transport_.answer(200, page({evil, object("b", 2)}, 7));
  const auto watch = transport_.watch();
  start();
  EXPECT_THAT(told(), ElementsAre("+a", "+b", "synced"));
  watch->say(line("DELETED", evil));
  EXPECT_THAT(told(), ElementsAre("-a"));
}

TEST_F(ReflectorTest, NeedsNoLongerForAnObjectOfManyMembersThanForItsText) {
  // What 80,000 short annotations make of the list of who manages what.
  std::string fields;
  for (int i = 0; i < 80'000; ++i) fields += (i == 0 ? "\"" : ",\"") + std::to_string(i) + "\":{}";
  const auto object_of = [&fields](int version) {
    return fmt::format(
        R"({{"metadata":{{"name":"a","uid":"u","resourceVersion":"{}","managedFields":[{{"f":{{{}}}}}]}}}})",
        version, fields);
  };
  transport_.answer(200, page({object_of(1), object("b", 2)}, 7));
  const auto watch = transport_.watch();
  start();
  EXPECT_THAT(told(), ElementsAre("+a", "+b", "synced"));
  watch->say(line("MODIFIED", object_of(8)));
  EXPECT_THAT(told(), ElementsAre("~a"));
}

TEST_F(ReflectorTest, EndsWhenToldToWhileItWatches) {
  transport_.answer(200, page({}, 7));
  const auto watch = transport_.watch();
  start();
  told();
  watch->say(line("ADDED", object("a", 8)));
  reflector_.stop();
  EXPECT_THAT(told(), IsEmpty());
  EXPECT_TRUE(watch->cancelled);
  EXPECT_TRUE(ended_);
}

TEST_F(ReflectorTest, EndsWhenToldToWhileItWaits) {
  start();
  reflector_.stop();
  loop_.poll();
  EXPECT_TRUE(ended_);
}

TEST_F(ReflectorTest, AsksForTheLabelsThatItFollows) {
  Reflector reflector(loop_.executor(), client_, timer_, random_, log_, *this,
                      {"/api/v1/secrets", "a=b,c", 2});
  transport_.answer(200, page({}, 7));
  transport_.watch();
  asio::co_spawn(loop_.context(), reflector.run(), asio::detached);
  loop_.poll();
  EXPECT_EQ(asked()[0], "/api/v1/secrets?labelSelector=a%3Db%2Cc&limit=2");
  reflector.stop();
  loop_.poll();
}

}  // namespace
}  // namespace mailid::kube
