// Connections between messages: kept, reused, given up, and never too many.
#include "tests/unit/sidecar/upstream/transport_fixture.hpp"

namespace mailid::upstream {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;

class PoolTest : public TransportTest {
 protected:
  void limit(std::uint32_t connections) {
    settings_.connections = connections;
    rotate("token");
  }

  /// A message that can be told from others.
  fakes::EventLoop::Place<delivery::Outcome> begin_named(const std::string& name) {
    return begin(letter("Subject: " + name + "\r\n\r\n"));
  }
  std::vector<std::string> subjects() const {
    std::vector<std::string> subjects;
    subjects.reserve(relay_.mails.size());
    for (const auto& mail : relay_.mails) {
      const auto begin = mail.body.find("Subject: ") + 9;
      subjects.push_back(mail.body.substr(begin, mail.body.find('\r', begin) - begin));
    }
    return subjects;
  }
};

TEST_F(PoolTest, UsesAConnectionForOneMessageAfterTheOther) {
  for (int i = 0; i < 5; ++i) EXPECT_EQ(words(send()), "250");
  EXPECT_EQ(relay_.connections, 1);
  EXPECT_EQ(relay_.tokens_seen.size(), 1U);
}

TEST_F(PoolTest, OpensNoMoreConnectionsThanTheLimit) {
  limit(2);
  relay_.hold("DOT");
  std::vector<fakes::EventLoop::Place<delivery::Outcome>> outcomes;
  outcomes.reserve(5);
  for (int i = 0; i < 5; ++i) outcomes.push_back(begin());
  loop_.run_until([&] { return relay_.held("DOT") == 2; });
  EXPECT_EQ(connections("in_use"), 2);
  relay_.release("DOT");
  for (const auto& outcome : outcomes) EXPECT_EQ(words(loop_.wait_for(outcome)), "250");
  EXPECT_EQ(relay_.connections, 2);
  EXPECT_EQ(connections("in_use"), 0);
  EXPECT_EQ(connections("idle"), 2);
}

TEST_F(PoolTest, ServesThoseWhoWaitInTheirOrder) {
  limit(1);
  relay_.hold("DOT");
  std::vector<fakes::EventLoop::Place<delivery::Outcome>> outcomes;
  for (const auto* name : {"first", "second", "third", "fourth"}) outcomes.push_back(begin_named(name));
  loop_.run_until([&] { return relay_.held("DOT") == 1; });
  relay_.release("DOT");
  for (const auto& outcome : outcomes) loop_.wait_for(outcome);
  EXPECT_THAT(subjects(), ElementsAre("first", "second", "third", "fourth"));
}

TEST_F(PoolTest, LetsNobodyWaitPastHisDeadline) {
  limit(1);
  const auto first = begin_until("DOT");
  const auto second = begin_named("late");
  timer_.advance(20s);
  const auto& late = loop_.wait_for(second);
  EXPECT_EQ(words(late), "DeadlineExceeded");
  EXPECT_EQ(refused(late).context, "all 1 connections to relay.test were in use");
  relay_.release("DOT");
  EXPECT_EQ(words(loop_.wait_for(first)), "250");
}

TEST_F(PoolTest, LosesNoPlaceToThoseWhoGaveUp) {
  limit(1);
  const auto first = begin_until("DOT");
  const auto second = begin_named("late");
  timer_.advance(20s);
  loop_.wait_for(second);
  const auto third = begin_named("third");
  relay_.release("DOT");
  EXPECT_EQ(words(loop_.wait_for(third)), "250");
  EXPECT_EQ(words(loop_.wait_for(first)), "250");
}

TEST_F(PoolTest, LetsMoreInWhereTheLimitGrows) {
  limit(1);
  const auto first = begin_until("DOT");
  limit(2);
  const auto second = begin();
  loop_.run_until([&] { return relay_.held("DOT") == 2; });
  relay_.release("DOT");
  EXPECT_EQ(words(loop_.wait_for(first)), "250");
  EXPECT_EQ(words(loop_.wait_for(second)), "250");
}

TEST_F(PoolTest, SaysQuitToAConnectionThatNobodyUses) {
  send();
  timer_.advance(44s);
  loop_.poll();
  EXPECT_EQ(relay_.count("QUIT"), 0U);
  timer_.advance(1s);
  until_open(0);
  EXPECT_EQ(relay_.count("QUIT"), 1U);
  EXPECT_EQ(connections("idle"), 0);
}

TEST_F(PoolTest, KeepsAConnectionThatIsUsedOftenEnough) {
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(words(send()), "250");
    timer_.advance(40s);
  }
  EXPECT_EQ(relay_.connections, 1);
}

TEST_F(PoolTest, KeepsNoneOnceItDrains) {
  send();
  transport_.drain();
  until_open(0);
  EXPECT_EQ(relay_.count("QUIT"), 1U);
  EXPECT_EQ(words(send()), "250");
  until_open(0);
  EXPECT_EQ(connections("idle"), 0);
}

TEST_F(PoolTest, FinishesWhatIsUnderWayWhileItDrains) {
  const auto outcome = begin_until("DOT");
  transport_.drain();
  relay_.release("DOT");
  EXPECT_EQ(words(loop_.wait_for(outcome)), "250");
}

TEST_F(PoolTest, LogsInAgainWithANewToken) {
  relay_.tokens = {"token", "new"};
  send();
  rotate("new");
  send();
  EXPECT_THAT(relay_.tokens_seen, ElementsAre("token", "new"));
  until_open(1);
  EXPECT_THAT(relay_.steps, Contains("1 QUIT"));
}

TEST_F(PoolTest, LetsAMessageEndOnTheTokenThatItBeganWith) {
  relay_.tokens = {"token", "new"};
  const auto outcome = begin_until("DOT");
  rotate("new");
  relay_.release("DOT");
  EXPECT_EQ(words(loop_.wait_for(outcome)), "250");
  EXPECT_EQ(words(send()), "250");
  EXPECT_THAT(relay_.tokens_seen, ElementsAre("token", "new"));
}

TEST_F(PoolTest, ServesEachIdentityOnConnectionsOfItsOwn) {
  auto reports = settings_;
  reports.name = "reports";
  reports.mailbox = "reports@contoso.test";
  relay_.tokens = {"token", "other"};
  tokens_.put(reports, "other");
  send();
  const auto other = letter();
  EXPECT_EQ(words(loop_.run(transport_.send(reports, other->message, deadline()))), "250");
  EXPECT_THAT(relay_.tokens_seen, ElementsAre("token", "other"));
  EXPECT_EQ(connections("idle"), 2);
}

TEST_F(PoolTest, DoesNotTryAConnectionThatTheRelayHasClosed) {
  send();
  relay_.close_all();
  EXPECT_EQ(words(send()), "250");
  EXPECT_EQ(relay_.connections, 2);
  EXPECT_EQ(relay_.count("MAIL"), 2U);
}

TEST_F(PoolTest, TriesAFreshConnectionWhereAKeptOneFails) {
  for (const auto* step : {"MAIL", "RCPT", "DATA"}) {
    ASSERT_EQ(words(send()), "250");
    const auto before = relay_.connections;
    relay_.cut_once(step);
    EXPECT_EQ(words(send()), "250") << step;
    EXPECT_EQ(relay_.connections, before + 1);
  }
  EXPECT_EQ(relay_.mails.size(), 6U);
}

TEST_F(PoolTest, TriesAFreshConnectionWhereAKeptOneIsGivenNotice) {
  ASSERT_EQ(words(send()), "250");
  relay_.cut_once("MAIL", "421 4.4.2 idle for too long\r\n");
  EXPECT_EQ(words(send()), "250");
  EXPECT_EQ(relay_.mails.size(), 2U);
}

TEST_F(PoolTest, TriesAFreshConnectionWhereTheLoginOfAKeptOneHasEnded) {
  ASSERT_EQ(words(send()), "250");
  relay_.answer_once("MAIL", "530 5.7.57 Client not authenticated to send mail\r\n");
  EXPECT_EQ(words(send()), "250");
  EXPECT_EQ(relay_.tokens_seen.size(), 2U);
}

TEST_F(PoolTest, TriesAFreshConnectionWhereAKeptOneIsSilentlyDead) {
  ASSERT_EQ(words(send()), "250");
  const auto outcome = begin_until("MAIL");
  relay_.release("GREETING");
  timer_.advance(10s);
  loop_.run_until([&] { return relay_.held("MAIL") == 2 || relay_.connections == 2; });
  relay_.release("MAIL");
  EXPECT_EQ(words(loop_.wait_for(outcome)), "250");
}

TEST_F(PoolTest, TriesAFreshConnectionOnlyOnce) {
  ASSERT_EQ(words(send()), "250");
  relay_.cut_once("MAIL");
  relay_.cut_once("MAIL");
  EXPECT_EQ(words(send()), "RelayClosed");
  EXPECT_EQ(relay_.connections, 2);
}

TEST_F(PoolTest, BelievesAKeptConnectionThatRefusesTheMessage) {
  ASSERT_EQ(words(send()), "250");
  relay_.answer_once("RCPT", "550 5.1.1 no such user\r\n");
  EXPECT_EQ(words(send()), "RecipientRejected");
  EXPECT_EQ(relay_.connections, 1);
}

TEST_F(PoolTest, GivesUpAKeptConnectionBeforeItOpensOneTooMany) {
  limit(2);
  relay_.hold("DOT");
  const auto one = begin();
  const auto two = begin();
  loop_.run_until([&] { return relay_.held("DOT") == 2; });
  relay_.release("DOT");
  loop_.wait_for(one);
  loop_.wait_for(two);
  ASSERT_EQ(connections("idle"), 2);
  relay_.hold("GREETING");
  relay_.cut_once("MAIL");
  const auto three = begin();
  loop_.run_until([&] { return relay_.held("GREETING") == 1; });
  EXPECT_EQ(connections("in_use") + connections("idle"), 2);
  relay_.release("GREETING");
  EXPECT_EQ(words(loop_.wait_for(three)), "250");
}

}  // namespace
}  // namespace mailid::upstream
