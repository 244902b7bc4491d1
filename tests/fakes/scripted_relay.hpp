#pragma once

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/encoding.hpp"
#include "common/net/stream.hpp"
#include "tests/fakes/event_loop.hpp"
#include "tests/fakes/test_certificates.hpp"

namespace mailid::fakes {

/// A submission relay on a real loopback port with real TLS, in the test's own thread, that does what relays do
/// until a test tells it to do something else at some step.
///
/// Steps: `GREETING`, `EHLO`, `STARTTLS`, `EHLO-TLS`, `AUTH`, `TOKEN` (the line behind AUTH's 334), `MAIL`, `RCPT`,
/// `DATA`, `BODY` (before it takes any; can only be held), `DOT`, `RSET`, `NOOP`, `QUIT`.
class ScriptedRelay {
 public:
  /// What it does at a step: writes octets as they are, then goes on or closes.
  struct Answer {
    std::string octets;
    bool then_close = false;
  };

  /// A message that was accepted.
  struct Mail {
    std::string sender;                   ///< the arguments of MAIL, as they came
    std::vector<std::string> recipients;  ///< the arguments of RCPT, as they came
    std::string body;                     ///< without the doubled dots
    int connection = 0;                   ///< on which connection, from 1
  };

  /// One for the name relay.test. Loop and timer must outlive it.
  ScriptedRelay(EventLoop& loop, net::Timer& timer) : loop_(&loop), timer_(&timer) {
    use_certificate(authority_.issue("DNS:relay.test"));
    asio::co_spawn(loop.context(), accept_all(), asio::detached);
    loop.poll();
  }
  ScriptedRelay(const ScriptedRelay&) = delete;
  ScriptedRelay& operator=(const ScriptedRelay&) = delete;
  ~ScriptedRelay() {
    error_code ignored;
    acceptor_.close(ignored);
    for (const auto& peer : peers_) peer->stream.close();
    // Whoever waits must be gone before what it refers to.
    release_all();
    loop_->poll();
  }

  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
  const TestAuthority& authority() const { return authority_; }
  void use_certificate(const TestCertificate& certificate) {
    if (!tls_.use(certificate.pem, certificate.key)) throw std::logic_error("unusable certificate");
  }

  /// The answer at `step` from now on.
  void answer(const std::string& step, std::string octets) { always_[step] = {std::move(octets), false}; }
  /// The answer at `step` the next time only; several come one after the other.
  void answer_once(const std::string& step, std::string octets) {
    once_.emplace(step, Answer{std::move(octets), false});
  }
  /// The next time at `step` it writes `octets` and closes.
  void cut_once(const std::string& step, std::string octets = {}) {
    once_.emplace(step, Answer{std::move(octets), true});
  }
  /// Says nothing at `step` until it is released.
  void hold(const std::string& step) { held_.insert(step); }
  void release(const std::string& step) {
    held_.erase(step);
    for (const auto& peer : peers_) {
      if (peer->held_at == step) peer->released.wake();
    }
  }
  /// Lets the first of those that are held at `step` go on; the others stay.
  void release_one(const std::string& step) {
    const auto first = std::ranges::find_if(peers_, [&](const auto& peer) { return peer->held_at == step; });
    if (first != peers_.end()) (*first)->released.wake();
  }
  /// How many connections are held at `step`.
  std::size_t held(const std::string& step) const {
    return static_cast<std::size_t>(
        std::ranges::count_if(peers_, [&](const auto& peer) { return peer->held_at == step; }));
  }
  /// Closes every connection that is open.
  void close_all() {
    for (const auto& peer : peers_) peer->stream.close();
    loop_->poll();
  }

  /// Tokens that it accepts; `token` to begin with.
  std::set<std::string, std::less<>> tokens{"token"};
  /// What was accepted, and every step of every connection in the order it came: `1 MAIL`.
  std::vector<Mail> mails;
  std::vector<std::string> steps;
  /// Tokens that came, good ones and bad ones.
  std::vector<std::string> tokens_seen;
  /// All octets that came outside TLS.
  std::string clear;
  /// Octets of bodies that came, accepted or not.
  std::size_t body_octets = 0;
  int connections = 0;
  /// In the middle of a body that is longer it says `body_refusal` and closes.
  std::optional<std::size_t> refuse_body_after;
  std::string body_refusal{"552 5.3.4 too large\r\n"};

  std::size_t open() const { return peers_.size(); }
  std::size_t count(std::string_view step) const {
    return static_cast<std::size_t>(
        std::ranges::count_if(steps, [&](const auto& it) { return it.substr(it.find(' ') + 1) == step; }));
  }

 private:
  using Tcp = asio::ip::tcp;

  struct Peer {
    Peer(Tcp::socket socket, net::Timer& timer, const asio::any_io_executor& executor, int its_number)
        : stream(std::move(socket), timer), released(executor), number(its_number) {}

    net::Stream stream;
    net::Wakeup released;
    int number;
    std::string held_at;
    std::string input;
    std::string answered;  ///< the last answer
    Mail mail;
  };
  using PeerPtr = std::shared_ptr<Peer>;

  void release_all() {
    held_.clear();
    for (const auto& peer : peers_) peer->released.wake();
  }

  asio::awaitable<void> accept_all() {
    for (;;) {
      error_code error;
      auto socket = co_await acceptor_.async_accept(asio::redirect_error(asio::use_awaitable, error));
      if (error) co_return;
      auto peer = std::make_shared<Peer>(std::move(socket), *timer_, loop_->executor(), ++connections);
      peers_.push_back(peer);
      asio::co_spawn(loop_->context(), serve(peer), asio::detached);
    }
  }

  asio::awaitable<void> serve(PeerPtr peer) {
    co_await converse(peer);
    peer->stream.close();
    std::erase(peers_, peer);
  }

  asio::awaitable<void> converse(PeerPtr peer) {
    if (!co_await react(peer, "GREETING", "220 relay.test ready\r\n")) co_return;
    for (;;) {
      const auto line = co_await read_line(peer);
      if (!line) co_return;
      const auto step = step_of(*peer, *line);
      if (!co_await react(peer, step, usual_answer(*peer, step, *line))) co_return;
      if (step == "QUIT") co_return;
      if (step == "STARTTLS" && peer->answered.starts_with("220")) {
        const auto shaken = co_await peer->stream.accept_tls(tls_, kNever);
        if (!shaken) co_return;
      }
      if (step == "DATA" && peer->answered.starts_with("354")) {
        if (!co_await take_body(peer)) co_return;
      }
    }
  }

  static std::string step_of(const Peer& peer, std::string_view line) {
    const std::string verb(line.substr(0, line.find(' ')));
    if (verb == "EHLO" && peer.stream.encrypted()) return "EHLO-TLS";
    static const std::set<std::string, std::less<>> kVerbs{"EHLO", "STARTTLS", "AUTH", "MAIL", "RCPT",
                                                           "DATA", "RSET",     "NOOP", "QUIT"};
    return kVerbs.contains(verb) ? verb : "TOKEN";
  }

  /// What a relay without a script says.
  std::string usual_answer(Peer& peer, std::string_view step, std::string_view line) {
    const std::string argument(line.substr(std::min(line.size(), line.find(' ') + 1)));
    if (step == "EHLO") return "250-relay.test\r\n250-PIPELINING\r\n250 STARTTLS\r\n";
    if (step == "STARTTLS") return "220 2.0.0 ready\r\n";
    if (step == "EHLO-TLS") {
      return "250-relay.test\r\n250-PIPELINING\r\n250-SIZE 36700160\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n"
             "250-ENHANCEDSTATUSCODES\r\n250 AUTH LOGIN XOAUTH2\r\n";
    }
    if (step == "AUTH") return "334 \r\n";
    if (step == "TOKEN") return check_token(line);
    if (step == "MAIL") peer.mail = {argument, {}, {}, peer.number};
    if (step == "RCPT") peer.mail.recipients.push_back(argument);
    if (step == "DATA") return "354 go ahead\r\n";
    if (step == "QUIT") return "221 2.0.0 bye\r\n";
    return "250 2.0.0 ok\r\n";
  }

  std::string check_token(std::string_view line) {
    constexpr std::string_view kBefore = "auth=Bearer ";
    const auto response = base::base64_decode(line).value_or("");
    const auto begin = response.find(kBefore);
    if (begin == std::string::npos) return "535 5.7.3 Authentication unsuccessful\r\n";
    const auto end = response.find('\x01', begin);
    tokens_seen.push_back(response.substr(begin + kBefore.size(), end - begin - kBefore.size()));
    if (!tokens.contains(tokens_seen.back())) return "535 5.7.3 Authentication unsuccessful\r\n";
    return "235 2.7.0 Authentication successful\r\n";
  }

  /// Answers at a step as the script has it. False where the connection is over.
  asio::awaitable<bool> react(PeerPtr peer, std::string step, std::string usual) {
    steps.push_back(std::to_string(peer->number) + ' ' + step);
    co_await pass(peer, step);
    Answer answer{std::move(usual), false};
    if (const auto scripted = always_.find(step); scripted != always_.end()) answer = scripted->second;
    if (const auto next = once_.lower_bound(step); next != once_.end() && next->first == step) {
      answer = next->second;
      once_.erase(next);
    }
    peer->answered = answer.octets;
    const auto written = co_await peer->stream.write_all(answer.octets, kNever);
    co_return written && !answer.then_close;
  }

  /// Waits where the step is held.
  asio::awaitable<void> pass(PeerPtr peer, std::string step) {
    if (!held_.contains(step)) co_return;
    peer->held_at = step;
    co_await peer->released.wait(*timer_, kNever);
    peer->held_at.clear();
  }

  asio::awaitable<bool> take_body(PeerPtr peer) {
    co_await pass(peer, "BODY");
    if (!co_await read_body(peer)) co_return false;
    auto answered = co_await react(peer, "DOT", "250 2.0.0 queued\r\n");
    if (peer->answered.starts_with("250")) mails.push_back(std::move(peer->mail));
    co_return answered;
  }

  asio::awaitable<bool> read_body(PeerPtr peer) {
    for (;;) {
      auto line = co_await read_line(peer);
      if (!line) co_return false;
      if (*line == ".") co_return true;
      if (line->starts_with('.')) line->erase(0, 1);
      body_octets += line->size() + 2;
      if (refuse_body_after && body_octets > *refuse_body_after) {
        [[maybe_unused]] const auto written = co_await peer->stream.write_all(body_refusal, kNever);
        co_return false;
      }
      peer->mail.body += *line + "\r\n";
    }
  }

  asio::awaitable<std::optional<std::string>> read_line(PeerPtr peer) {
    for (;;) {
      const auto end = peer->input.find("\r\n");
      if (end != std::string::npos) {
        auto line = peer->input.substr(0, end);
        peer->input.erase(0, end + 2);
        co_return line;
      }
      std::array<char, 16384> buffer;
      const bool in_clear = !peer->stream.encrypted();
      const auto count = co_await peer->stream.read_some(buffer, kNever);
      if (!count) co_return std::nullopt;
      if (in_clear) clear.append(buffer.data(), *count);
      peer->input.append(buffer.data(), *count);
    }
  }

  static constexpr base::SteadyTime kNever = base::SteadyTime::max();

  EventLoop* loop_;
  net::Timer* timer_;
  TestAuthority authority_;
  net::TlsServerContext tls_;
  Tcp::acceptor acceptor_{loop_->context(), {asio::ip::address_v4::loopback(), 0}};
  std::vector<PeerPtr> peers_;
  std::map<std::string, Answer> always_;
  std::multimap<std::string, Answer> once_;
  std::set<std::string, std::less<>> held_;
};

}  // namespace mailid::fakes
