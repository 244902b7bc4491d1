// bench-load: sends messages over kept connections as fast as each answer allows, and says how long each took.
//
//   bench-load plain  HOST PORT CLIENTS MESSAGES BYTES
//   bench-load direct HOST PORT CLIENTS MESSAGES BYTES CA-FILE MAILBOX TOKEN-FILE
//
// `plain` is an app that talks to the sidecar; `direct` is the same app that does STARTTLS and XOAUTH2 itself. Every
// command waits for its reply. Prints one JSON object: delivered, failed, seconds, milliseconds p50 and p99.
#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "common/net/connect.hpp"
#include "common/smtp/login.hpp"
#include "common/smtp/reply_parser.hpp"

namespace mailid {
namespace {

constexpr std::chrono::seconds kPatience{60};

struct Options {
  bool direct = false;
  smtp::LoginRequest relay;
  std::size_t clients = 1;
  std::size_t messages = 1;
  std::size_t bytes = 10'000;
  std::string ca_file;
};

/// What all clients share.
struct Load {
  Load(asio::io_context& io, Options chosen)
      : options(std::move(chosen)),
        timer(io.get_executor()),
        resolver(io.get_executor(), timer),
        tls({.system_path = options.ca_file, .extra_pem = {}}) {}

  Options options;
  net::SystemTimer timer;
  net::SystemResolver resolver;
  net::TlsClientContext tls;
  std::size_t started = 0;
  std::size_t failed = 0;
  std::vector<double> milliseconds;
};

std::string message(std::size_t bytes) {
  std::string text =
      "From: <billing@contoso.test>\r\nTo: <ada@contoso.test>\r\nSubject: bench\r\n"
      "Date: Tue, 24 Nov 2026 05:06:07 +0000\r\nMessage-ID: <bench@contoso.test>\r\n\r\n";
  const std::string line = std::string(76, 'x') + "\r\n";
  while (text.size() + line.size() + 3 <= bytes) text += line;
  return text + ".\r\n";
}

asio::awaitable<bool> expect(net::Stream& stream, smtp::ReplyParser& parser, int code, net::Timer& timer) {
  std::array<char, 2048> buffer;
  while (parser.state() == smtp::ReplyParser::State::Incomplete) {
    const auto got = co_await stream.read_some(buffer, timer.now() + kPatience);
    if (!got) co_return false;
    parser.feed({buffer.data(), *got});
  }
  if (parser.state() != smtp::ReplyParser::State::Complete) co_return false;
  const auto reply = parser.take();
  if (reply.code == code) co_return true;
  std::cerr << smtp::format(reply);
  co_return false;
}

asio::awaitable<bool> say(net::Stream& stream, smtp::ReplyParser& parser, std::string command, int code,
                          net::Timer& timer) {
  const auto written = co_await stream.write_all(command, timer.now() + kPatience);
  if (!written) co_return false;
  co_return co_await expect(stream, parser, code, timer);
}

asio::awaitable<std::optional<net::Stream>> open(Load& load) {
  const auto& relay = load.options.relay;
  const auto deadline = load.timer.now() + kPatience;
  if (load.options.direct) {
    auto request = relay;
    auto logged_in = co_await smtp::login(load.resolver, load.timer, load.tls, std::move(request), deadline);
    if (logged_in) co_return std::move(logged_in->stream);
    std::cerr << catalogue::describe(logged_in.error().failure) << '\n';
    co_return std::nullopt;
  }
  auto stream = co_await net::connect(load.resolver, load.timer, relay.host, relay.port, deadline);
  if (!stream) co_return std::nullopt;
  smtp::ReplyParser parser;
  std::string hello = "EHLO bench\r\n";
  const bool greeted = co_await expect(*stream, parser, 220, load.timer);
  if (!greeted) co_return std::nullopt;
  const bool welcome = co_await say(*stream, parser, std::move(hello), 250, load.timer);
  if (!welcome) co_return std::nullopt;
  co_return std::move(*stream);
}

asio::awaitable<bool> send_one(Load& load, net::Stream& stream, smtp::ReplyParser& parser,
                               const std::string& text) {
  std::string mail = fmt::format("MAIL FROM:<{}>\r\n", load.options.relay.mailbox);
  std::string rcpt = "RCPT TO:<ada@contoso.test>\r\n";
  std::string data = "DATA\r\n";
  std::string body = text;
  if (!co_await say(stream, parser, std::move(mail), 250, load.timer)) co_return false;
  if (!co_await say(stream, parser, std::move(rcpt), 250, load.timer)) co_return false;
  if (!co_await say(stream, parser, std::move(data), 354, load.timer)) co_return false;
  co_return co_await say(stream, parser, std::move(body), 250, load.timer);
}

asio::awaitable<void> client(Load& load) {
  auto stream = co_await open(load);
  if (!stream) {
    ++load.failed;
    co_return;
  }
  const auto text = message(load.options.bytes);
  smtp::ReplyParser parser;
  while (load.started < load.options.messages) {
    ++load.started;
    const auto begin = load.timer.now();
    const bool sent = co_await send_one(load, *stream, parser, text);
    if (!sent) {
      ++load.failed;
      co_return;
    }
    load.milliseconds.push_back(std::chrono::duration<double, std::milli>(load.timer.now() - begin).count());
  }
  smtp::quit(*stream);
}

std::string read_file(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::size_t number(const std::string& text) {
  std::size_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::optional<Options> parse(const std::vector<std::string>& words) {
  const bool direct = !words.empty() && words[0] == "direct";
  if (words.size() != (direct ? 9U : 6U)) return std::nullopt;
  Options options;
  options.direct = direct;
  options.relay.host = words[1];
  options.relay.port = static_cast<std::uint16_t>(number(words[2]));
  options.relay.mailbox = direct ? words[7] : "billing@contoso.test";
  options.clients = number(words[3]);
  options.messages = number(words[4]);
  options.bytes = number(words[5]);
  if (!direct) return options;
  options.ca_file = words[6];
  options.relay.token = std::make_shared<const base::Secret>(read_file(words[8]));
  return options;
}

double percentile(std::vector<double>& sorted, double share) {
  if (sorted.empty()) return 0;
  return sorted[static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1))];
}

int run(const Options& options) {
  asio::io_context io;
  Load load(io, options);
  const auto begin = load.timer.now();
  for (std::size_t i = 0; i < options.clients; ++i) asio::co_spawn(io, client(load), asio::detached);
  io.run();
  const std::chrono::duration<double> seconds = load.timer.now() - begin;
  std::sort(load.milliseconds.begin(), load.milliseconds.end());
  std::cout << fmt::format(
                   R"({{"delivered": {}, "failed": {}, "seconds": {:.6f}, "p50": {:.3f}, "p99": {:.3f}}})",
                   load.milliseconds.size(), load.failed, seconds.count(), percentile(load.milliseconds, 0.5),
                   percentile(load.milliseconds, 0.99))
            << '\n';
  return load.failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace mailid

int main(int count, char** words) {
  const auto options = mailid::parse({words + 1, words + count});
  if (options) return mailid::run(*options);
  std::cerr << "bench-load plain HOST PORT CLIENTS MESSAGES BYTES\n"
               "bench-load direct HOST PORT CLIENTS MESSAGES BYTES CA-FILE MAILBOX TOKEN-FILE\n";
  return 2;
}
