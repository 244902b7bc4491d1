#include "common/smtp/login.hpp"

#include <array>
#include <string>
#include <utility>

namespace mailid::smtp {
namespace {

using catalogue::Reason;
using catalogue::Step;

Reason reason_of(net::Fault fault) {
  switch (fault) {
    case net::Fault::NameNotFound:
    case net::Fault::Unreachable:
      return Reason::RelayUnreachable;
    case net::Fault::TimedOut:
      return Reason::RelayTimeout;
    case net::Fault::Closed:
      return Reason::RelayClosed;
    case net::Fault::Certificate:
      return Reason::RelayCertificate;
    case net::Fault::Tls:
      return Reason::RelayTlsFailed;
    case net::Fault::UnexpectedData:
      return Reason::StartTlsInjection;
  }
  return Reason::RelayUnreachable;
}

/// A fault of the connection itself, with the place where it happened.
LoginFailure fault_at(Step step, const LoginRequest& request, const net::Error& error) {
  catalogue::Failure failure = relay_failure(error);
  failure.context = request.host + " port " + std::to_string(request.port) + ", at " +
                    std::string(catalogue::step_name(step)) + ": " + failure.context;
  return {std::move(failure), step, std::nullopt};
}

/// Moves the bytes between the dialogue and the stream until it is over.
/// @return nothing once logged in
asio::awaitable<std::optional<LoginFailure>> converse(net::Stream& stream, LoginDialogue& dialogue,
                                                      net::TlsClientContext& tls, const LoginRequest& request,
                                                      base::SteadyTime deadline) {
  using Next = LoginDialogue::Next;
  std::array<char, 1024> buffer{};
  auto next = Next::Read;
  while (next == Next::Read || next == Next::StartTls) {
    if (next == Next::StartTls) {
      const auto changed = co_await stream.start_tls(tls, request.host, deadline);
      if (!changed) co_return fault_at(dialogue.step(), request, changed.error());
      next = dialogue.tls_started();
    }
    if (!dialogue.output().empty()) {
      const auto written = co_await stream.write_all(dialogue.output(), deadline);
      if (!written) co_return fault_at(dialogue.step(), request, written.error());
    }
    const auto count = co_await stream.read_some(buffer, deadline);
    if (!count) co_return fault_at(dialogue.step(), request, count.error());
    next = dialogue.feed({buffer.data(), *count});
  }
  if (next == Next::Failed) co_return dialogue.failure();
  co_return std::nullopt;
}

}  // namespace

catalogue::Failure relay_failure(const net::Error& error) {
  return {reason_of(error.fault), error.detail};
}

void quit(net::Stream& stream) noexcept {
  stream.write_now("QUIT\r\n");
  stream.close();
}

asio::awaitable<base::Expected<LoggedIn, LoginFailure>> login(net::Resolver& resolver, net::Timer& timer,
                                                              net::TlsClientContext& tls,
                                                              LoginRequest request,
                                                              base::SteadyTime deadline) {
  auto connected = co_await net::connect(resolver, timer, request.host, request.port, deadline);
  if (!connected) co_return base::Unexpected(fault_at(Step::Connect, request, connected.error()));
  net::Stream stream = std::move(*connected);
  stream.set_quick_ack(true);

  LoginDialogue dialogue(request);
  auto failure = co_await converse(stream, dialogue, tls, request, deadline);
  if (failure) {
    quit(stream);
    co_return base::Unexpected(std::move(*failure));
  }
  stream.set_quick_ack(false);
  LoggedIn logged_in{std::move(stream), dialogue.capabilities()};
  co_return std::move(logged_in);
}

}  // namespace mailid::smtp
