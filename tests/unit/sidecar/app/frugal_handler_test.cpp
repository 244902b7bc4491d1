#include "sidecar/app/frugal_handler.hpp"

#include <gtest/gtest.h>

#include "tests/fakes/event_loop.hpp"
#include "tests/fakes/fake_disk.hpp"
#include "tests/fakes/fake_timer.hpp"

namespace mailid::app {
namespace {

using std::chrono::milliseconds;

/// Says what it was asked, with answers that can be recognised.
class Recorder final : public server::Handler {
 public:
  std::optional<smtp::Reply> check_sender(const server::Envelope& envelope) const override {
    return smtp::make_reply(550, "5.7.1", envelope.sender);
  }
  void turned_away(const server::Envelope& envelope, const smtp::Reply& /*reply*/,
                   catalogue::Reason /*reason*/) const override {
    turned_away_sender = envelope.sender;
  }
  std::uint64_t message_size_limit() const override { return 17; }
  std::uint32_t recipient_limit() const override { return 4; }
  asio::awaitable<smtp::Reply> deliver(const server::Envelope& envelope, const spool::Body& /*body*/,
                                       std::stop_token /*app_gone*/) override {
    co_return smtp::make_reply(250, "2.0.0", envelope.sender);
  }

  mutable std::string turned_away_sender;
};

class FrugalHandlerTest : public testing::Test {
 protected:
  smtp::Reply deliver() { return loop_.run(frugal_.deliver(envelope_, body_, {})); }

  fakes::EventLoop loop_;
  fakes::FakeTimer timer_;
  fakes::FakeDisk disk_;
  spool::Body body_{disk_};
  server::Envelope envelope_{"billing@contoso.test", {"ann@x.test"}};
  Recorder recorder_;
  int shrunk_ = 0;
  FrugalHandler frugal_{recorder_, timer_, [this] { ++shrunk_; }};
};

TEST_F(FrugalHandlerTest, PassesEverythingOn) {
  EXPECT_EQ(deliver().text(), "billing@contoso.test");
  EXPECT_EQ(frugal_.check_sender(envelope_)->text(), "billing@contoso.test");
  EXPECT_EQ(frugal_.message_size_limit(), 17U);
  EXPECT_EQ(frugal_.recipient_limit(), 4U);
  frugal_.turned_away(envelope_, smtp::make_reply(552, "5.3.4", "x"), catalogue::Reason::MessageTooLarge);
  EXPECT_EQ(recorder_.turned_away_sender, "billing@contoso.test");
}

TEST_F(FrugalHandlerTest, GivesMemoryBackAfterAMessage) {
  EXPECT_EQ(shrunk_, 0);
  deliver();
  EXPECT_EQ(shrunk_, 1);
  timer_.advance(milliseconds(10'000));
  EXPECT_EQ(shrunk_, 1);
}

TEST_F(FrugalHandlerTest, DoesSoOnceASecondInACrowdAndOnceAfterIt) {
  for (int i = 0; i < 25; ++i) {
    deliver();
    timer_.advance(milliseconds(100));
  }
  EXPECT_EQ(shrunk_, 3);
  timer_.advance(milliseconds(500));
  EXPECT_EQ(shrunk_, 4);
  timer_.advance(milliseconds(10'000));
  EXPECT_EQ(shrunk_, 4);
}

}  // namespace
}  // namespace mailid::app
