#include "operator/kube/cpprest_transport.hpp"

#include <gmock/gmock.h>
#include <optional>

#include "tests/fakes/fake_https_endpoint.hpp"
#include "tests/fakes/fake_timer.hpp"

namespace mailid::kube {
namespace {

using namespace std::chrono_literals;
using Kind = TransportError::Kind;
using testing::AllOf;
using testing::HasSubstr;
using testing::SizeIs;

std::string chunk(const std::string& bytes) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string size;
  for (auto rest = bytes.size(); rest > 0; rest /= 16) size.insert(size.begin(), kHex[rest % 16]);
  return size + "\r\n" + bytes + "\r\n";
}

constexpr const char* kChunkedHead = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
constexpr const char* kLastChunk = "0\r\n\r\n";

std::string whole(const std::string& body, const std::string& head = "HTTP/1.1 200 OK\r\n") {
  return head + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

/// The transport against a server of this process over TLS; the deadlines are the test's.
class CpprestTransportTest : public testing::Test {
 protected:
  void TearDown() override {
    transport_.reset();
    loop_.poll();
  }

  Config config(const std::string& host = "127.0.0.1") const {
    Config made;
    made.server = "https://" + host + ':' + std::to_string(server_.port());
    made.user_agent = "a-test";
    made.ca = Material::from_text(base::Secret(authority_.pem()));
    return made;
  }
  CpprestTransport& transport() {
    if (!transport_) transport_ = std::make_unique<CpprestTransport>(timer_, config());
    return *transport_;
  }
  static Request request(const std::string& method = "GET") {
    Request made{.method = method, .target = "/api?limit=2&continue=a%2Fb"};
    made.bearer = base::Secret("the-token");
    made.timeout = 30s;
    made.body_limit = 100'000;
    return made;
  }

  template <class T>
  static asio::awaitable<void> keep(asio::awaitable<T> operation, std::shared_ptr<std::optional<T>> place) {
    place->emplace(co_await std::move(operation));
  }
  template <class T>
  std::shared_ptr<std::optional<T>> begin(asio::awaitable<T> operation) {
    auto place = std::make_shared<std::optional<T>>();
    asio::co_spawn(loop_.executor(), keep(std::move(operation), place), asio::detached);
    return place;
  }
  template <class T>
  T end(const std::shared_ptr<std::optional<T>>& place) {
    loop_.run_until([&place] { return place->has_value(); });
    return std::move(place->value());
  }
  TransportResult<Response> send(Request request) { return end(begin(transport().send(std::move(request)))); }
  OpenResponse open() {
    auto opened = end(begin(transport().open(request())));
    EXPECT_TRUE(opened) << opened.error().detail;
    return std::move(*opened);
  }
  TransportResult<std::string> read(ResponseStream& stream) { return end(begin(stream.read_some())); }

  /// The server says these parts, one at a time, each when the test asks for it; then it cuts the connection.
  void talk(std::vector<std::string> parts) {
    server_.script = [this, parts = std::move(parts)](std::shared_ptr<net::Stream> stream) {
      return talk_over(std::move(stream), parts);
    };
  }
  void next() {
    ++said_;
    go_on_.wake();
  }
  asio::awaitable<void> talk_over(std::shared_ptr<net::Stream> stream, std::vector<std::string> parts) {
    for (int i = 0; i < static_cast<int>(parts.size()); ++i) {
      while (said_ <= i) co_await go_on_.wait(timer_, base::SteadyTime::max());
      const auto written =
          co_await stream->write_all(parts[static_cast<std::size_t>(i)], base::SteadyTime::max());
      if (!written) co_return;
    }
    while (said_ <= static_cast<int>(parts.size())) co_await go_on_.wait(timer_, base::SteadyTime::max());
  }

  /// The server answers two requests on a connection and cuts it; the second one is kept in second_.
  void serve_two(std::string first, std::string second) {
    server_.script = [this, first = std::move(first),
                      second = std::move(second)](std::shared_ptr<net::Stream> stream) {
      return answer_two(std::move(stream), first, second);
    };
  }
  asio::awaitable<void> answer_two(std::shared_ptr<net::Stream> stream, std::string first,
                                   std::string second) {
    const auto written = co_await stream->write_all(first, base::SteadyTime::max());
    if (!written) co_return;
    std::array<char, 4096> buffer{};
    const auto count = co_await stream->read_some(buffer, base::SteadyTime::max());
    if (!count) co_return;
    second_.assign(buffer.data(), *count);
    if (second.empty()) co_return;
    const auto answered = co_await stream->write_all(second, base::SteadyTime::max());
    EXPECT_TRUE(answered);
  }

  fakes::EventLoop loop_;
  fakes::FakeTimer timer_;
  fakes::TestAuthority authority_;
  fakes::FakeHttpsEndpoint server_{loop_, authority_.issue("IP:127.0.0.1")};
  net::Wakeup go_on_{loop_.executor()};
  int said_ = 0;
  std::string second_;
  std::unique_ptr<CpprestTransport> transport_;
};

TEST_F(CpprestTransportTest, GivesStatusBodyAndRetryAfter) {
  server_.answer(whole("busy", "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\n"));
  const auto answer = send(request());
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->status, 429);
  EXPECT_EQ(answer->retry_after, "7");
  EXPECT_EQ(answer->body, "busy");
}

TEST_F(CpprestTransportTest, SendsTargetTokenAndBodyAsTheyAre) {
  server_.answer(whole(""));
  auto made = request("PATCH");
  made.content_type = "application/apply-patch+yaml";
  made.body = "{\"a\":\"\xC3\xA9\"}";
  ASSERT_TRUE(send(std::move(made)));
  EXPECT_THAT(server_.requests.at(0),
              AllOf(HasSubstr("PATCH /api?limit=2&continue=a%2Fb HTTP/1.1\r\n"),
                    HasSubstr("Authorization:Bearer the-token\r\n"),
                    HasSubstr("Content-Type:application/apply-patch+yaml\r\n"),
                    HasSubstr("User-Agent:a-test\r\n"), HasSubstr("{\"a\":\"\xC3\xA9\"}")));
}

TEST_F(CpprestTransportTest, BelievesOnlyTheConfiguredRoots) {
  auto other = config();
  other.ca = Material::from_text(base::Secret(fakes::TestAuthority().pem()));
  CpprestTransport transport(timer_, other);
  const auto answer = end(begin(transport.send(request())));
  ASSERT_FALSE(answer);
  EXPECT_THAT(answer.error().detail, HasSubstr("certificate is not trusted"));
  EXPECT_THAT(server_.requests, SizeIs(0));
}

TEST_F(CpprestTransportTest, RefusesACertificateOfAnotherName) {
  CpprestTransport transport(timer_, config("localhost"));
  const auto answer = end(begin(transport.send(request())));
  ASSERT_FALSE(answer);
  EXPECT_THAT(server_.requests, SizeIs(0));
}

TEST_F(CpprestTransportTest, RefusesAnExpiredCertificate) {
  fakes::FakeHttpsEndpoint expired(loop_, authority_.issue_expired("IP:127.0.0.1"));
  auto there = config();
  there.server = "https://127.0.0.1:" + std::to_string(expired.port());
  CpprestTransport transport(timer_, there);
  EXPECT_FALSE(end(begin(transport.send(request()))));
  EXPECT_THAT(expired.requests, SizeIs(0));
}

TEST_F(CpprestTransportTest, SaysWhichOfItsOwnFilesIsWrong) {
  auto wrong = config();
  wrong.ca = Material::from_file("/nonexistent/ca.crt");
  CpprestTransport no_ca(timer_, wrong);
  EXPECT_THAT(end(begin(no_ca.send(request()))).error().detail, HasSubstr("/nonexistent/ca.crt"));
  wrong.ca = Material::from_text(base::Secret("no pem"));
  CpprestTransport no_pem(timer_, wrong);
  EXPECT_THAT(end(begin(no_pem.send(request()))).error().detail, HasSubstr("no PEM certificate"));
  wrong = config();
  wrong.client_certificate = Material::from_text(base::Secret(authority_.pem()));
  wrong.client_key =
      authority_.issue("DNS:x").key.empty() ? Material() : Material::from_text(base::Secret("x"));
  CpprestTransport no_key(timer_, wrong);
  EXPECT_THAT(end(begin(no_key.send(request()))).error().detail, HasSubstr("client certificate"));
}

TEST_F(CpprestTransportTest, TakesNoClearTextForAnAnswer) {
  server_.speak_tls = false;
  EXPECT_FALSE(send(request()));
}

TEST_F(CpprestTransportTest, SaysThatNobodyListens) {
  server_.stop_listening();
  auto there = Config();
  there.server = "https://127.0.0.1:1";
  CpprestTransport transport(timer_, there);
  const auto answer = end(begin(transport.send(request())));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, Kind::Broken);
  EXPECT_THAT(answer.error().detail, HasSubstr("Failed to connect"));
}

TEST_F(CpprestTransportTest, FollowsNoRedirect) {
  fakes::FakeHttpsEndpoint other(loop_, authority_.issue("IP:127.0.0.1"));
  server_.answer(whole(
      "", "HTTP/1.1 302 Found\r\nLocation: https://127.0.0.1:" + std::to_string(other.port()) + "/\r\n"));
  EXPECT_EQ(send(request())->status, 302);
  EXPECT_EQ(other.connections, 0);
}

TEST_F(CpprestTransportTest, EndsARequestAtItsDeadline) {
  server_.answer("HTTP/1.1 200 OK\r\nContent-Le");
  const auto answer = begin(transport().send(request()));
  loop_.run_until([this] { return !server_.requests.empty(); });
  timer_.advance(30s);
  EXPECT_EQ(end(answer).error().kind, Kind::TimedOut);
  loop_.run_until([this] { return server_.left == 1; });
}

TEST_F(CpprestTransportTest, EndsARequestThatTrickles) {
  talk({"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\na", "b"});
  const auto answer = begin(transport().send(request()));
  next();
  loop_.run_until([this] { return !server_.requests.empty(); });
  timer_.advance(20s);
  next();
  loop_.poll();
  timer_.advance(10s);
  EXPECT_EQ(end(answer).error().kind, Kind::TimedOut);
}

TEST_F(CpprestTransportTest, TakesNoMoreThanItsLimit) {
  server_.flood("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n", std::string(65'536, 'x'));
  EXPECT_EQ(send(request()).error().kind, Kind::TooLarge);
  EXPECT_LT(server_.sent, 8'000'000);
}

TEST_F(CpprestTransportTest, TakesNoMoreThanItsLimitInChunks) {
  server_.flood(kChunkedHead, chunk(std::string(16'000, 'x')));
  EXPECT_EQ(send(request()).error().kind, Kind::TooLarge);
  loop_.run_until([this] { return server_.left == 1; });
  EXPECT_LT(server_.sent, 8'000'000);
}

TEST_F(CpprestTransportTest, GivesNobodyTheRestOfAnAnswerThatWasTooLarge) {
  server_.flood("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n", std::string(65'536, 'x'));
  EXPECT_EQ(send(request()).error().kind, Kind::TooLarge);
  server_.answer(whole("mine"));
  EXPECT_EQ(send(request())->body, "mine");
  EXPECT_EQ(server_.connections, 2);
}

TEST_F(CpprestTransportTest, KeepsItsConnection) {
  serve_two(whole("first"), whole("second"));
  EXPECT_EQ(send(request())->body, "first");
  auto write = request("PATCH");
  write.content_type = "application/json";
  write.body = "{}";
  EXPECT_EQ(send(std::move(write))->body, "second");
  EXPECT_EQ(server_.connections, 1);
}

TEST_F(CpprestTransportTest, NeverSendsAWriteTwice) {
  // The server takes the write on the connection that both have kept, and dies. A GET would be sent again.
  serve_two(whole("first"), "");
  EXPECT_EQ(send(request())->body, "first");
  auto write = request("POST");
  write.content_type = "application/json";
  write.body = "{}";
  EXPECT_EQ(send(std::move(write)).error().kind, Kind::Broken);
  EXPECT_THAT(second_, HasSubstr("POST "));
  EXPECT_EQ(server_.connections, 1);
}

TEST_F(CpprestTransportTest, StreamsWhatComesWhenItComes) {
  talk({kChunkedHead + chunk("one\n"), chunk("two\nth"), chunk("ree\n"), kLastChunk});
  next();
  const auto opened = open();
  ASSERT_TRUE(opened.stream);
  EXPECT_EQ(*read(*opened.stream), "one\n");
  next();
  EXPECT_EQ(*read(*opened.stream), "two\nth");
  next();
  EXPECT_EQ(*read(*opened.stream), "ree\n");
  next();
  const auto end_of_watch = read(*opened.stream);
  ASSERT_TRUE(end_of_watch) << end_of_watch.error().detail;
  EXPECT_EQ(*end_of_watch, "");
}

TEST_F(CpprestTransportTest, TellsACutStreamFromOneThatEnds) {
  talk({kChunkedHead + chunk("one\n")});
  next();
  const auto opened = open();
  EXPECT_EQ(*read(*opened.stream), "one\n");
  next();
  EXPECT_EQ(read(*opened.stream).error().kind, Kind::Broken);
}

TEST_F(CpprestTransportTest, EndsAStreamThatIsSilentTooLong) {
  talk({kChunkedHead + chunk("one\n"), chunk("two\n")});
  next();
  const auto opened = open();
  timer_.advance(29s);
  EXPECT_EQ(*read(*opened.stream), "one\n");
  timer_.advance(29s);
  next();
  EXPECT_EQ(*read(*opened.stream), "two\n");
  const auto silence = begin(opened.stream->read_some());
  loop_.poll();
  timer_.advance(30s);
  EXPECT_EQ(end(silence).error().kind, Kind::TimedOut);
}

TEST_F(CpprestTransportTest, GivesTheBodyOfAWatchThatIsRefused) {
  server_.answer(whole("gone", "HTTP/1.1 410 Gone\r\n"));
  const auto opened = open();
  EXPECT_EQ(opened.head.status, 410);
  EXPECT_EQ(opened.head.body, "gone");
  EXPECT_FALSE(opened.stream);
}

TEST_F(CpprestTransportTest, EndsAStreamThatNobodyReads) {
  server_.flood(kChunkedHead, chunk(std::string(16'000, 'x')));
  const auto opened = open();
  loop_.run_until([this] { return server_.left == 1; });
  EXPECT_LT(server_.sent, 8'000'000);
  auto part = read(*opened.stream);
  while (part && !part->empty()) part = read(*opened.stream);
  EXPECT_EQ(part.error().kind, Kind::TooLarge);
}

TEST_F(CpprestTransportTest, StreamsMoreThanItsLimitToWhoeverReads) {
  const auto part = chunk(std::string(60'000, 'x'));
  talk({kChunkedHead + part, part, part, part});
  next();
  const auto opened = open();
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(read(*opened.stream)->size(), 60'000);
    next();
  }
}

TEST_F(CpprestTransportTest, CancelsAReadUnderWay) {
  talk({kChunkedHead});
  next();
  const auto opened = open();
  const auto part = begin(opened.stream->read_some());
  loop_.poll();
  opened.stream->cancel();
  EXPECT_EQ(end(part).error().kind, Kind::Broken);
}

TEST_F(CpprestTransportTest, ClosesTheConnectionOfAStreamThatIsLetGo) {
  server_.answer(kChunkedHead);
  auto opened = open();
  opened.stream.reset();
  loop_.run_until([this] { return server_.left == 1; });
}

TEST_F(CpprestTransportTest, EndsWhatIsUnderWayWhenItEnds) {
  server_.answer("");
  const auto answer = begin(transport().send(request()));
  loop_.run_until([this] { return !server_.requests.empty(); });
  transport_.reset();
  EXPECT_THAT(end(answer).error().detail, HasSubstr("ended"));
}

TEST_F(CpprestTransportTest, LeavesNobodyBehindWhenTheLoopEndsFirst) {
  server_.answer("");
  begin(transport().send(request()));
  loop_.run_until([this] { return !server_.requests.empty(); });
}

}  // namespace
}  // namespace mailid::kube
