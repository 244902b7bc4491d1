#include "sidecar/upstream/account.hpp"

#include <utility>

namespace mailid::upstream {
namespace {

delivery::Refused refused(const catalogue::Failure& failure) {
  return {failure.reason, std::nullopt, failure.context, {}};
}

/// Is the relay's no about the account, so that saying the same again would only lock it?
bool rejected(const smtp::LoginFailure& failure) {
  using catalogue::Class;
  const auto cls = catalogue::entry(failure.failure.reason).cls;
  return failure.step == catalogue::Step::Auth && failure.reply &&
         (cls == Class::Account || cls == Class::Configuration);
}

smtp::LoginRequest request_for(const identity::Credentials& credentials) {
  const auto& settings = credentials.settings;
  return {.host = settings.host,
          .port = settings.port,
          .mechanism = settings.mechanism,
          .mailbox = settings.mailbox,
          .token = credentials.token};
}

}  // namespace

Account::Account(std::string identity, Surroundings surroundings)
    : identity_(std::move(identity)), with_(std::move(surroundings)) {}

OrRefused<identity::CredentialsPtr> Account::credentials() {
  auto found = with_.tokens->current(identity_);
  // A suspension ends with the token, so a change that was not noticed must not prolong it.
  if (found && suspended(**found)) found = with_.tokens->refresh(identity_);
  if (!found) return base::Unexpected{refused(found.error())};
  if (suspended(**found)) return base::Unexpected{suspended_with_};
  return std::move(*found);
}

asio::awaitable<OrRefused<Connection>> Account::log_in(base::SteadyTime deadline) {
  auto credentials = with_.tokens->refresh(identity_);
  for (bool last = false;; last = true) {
    if (!credentials) co_return base::Unexpected(refused(credentials.error()));
    if (suspended(**credentials)) co_return base::Unexpected(suspended_with_);
    const auto tried = *credentials;

    auto connection = co_await try_login(tried, deadline);
    if (connection) {
      no_connection_.reset();
      co_return std::move(*connection);
    }
    auto& failure = connection.error();
    note(tried->settings, failure);
    delivery::Refused answer{failure.failure.reason, failure.reply, failure.failure.context, {}};
    if (!rejected(failure)) co_return base::Unexpected(std::move(answer));

    suspended_generation_ = tried->generation;
    suspended_with_ = answer;
    credentials = with_.tokens->refresh(identity_);
    const bool changed = credentials && (*credentials)->generation != tried->generation;
    if (last || !changed) co_return base::Unexpected(std::move(answer));
  }
}

asio::awaitable<base::Expected<Connection, smtp::LoginFailure>> Account::try_login(
    identity::CredentialsPtr credentials, base::SteadyTime deadline) {
  const auto tls = tls_for(credentials->settings);
  auto request = request_for(*credentials);
  auto session = co_await smtp::login(*with_.resolver, *with_.timer, *tls, std::move(request), deadline);
  if (!session) co_return base::Unexpected(std::move(session.error()));
  // A relay that writes its replies one by one would wait for our delayed acknowledgement between them.
  session->stream.set_quick_ack(true);
  Connection connection{std::move(*session), credentials->generation};
  co_return std::move(connection);
}

void Account::release_tls() {
  if (tls_) tls_->release();
}

std::shared_ptr<net::TlsClientContext> Account::tls_for(const contract::Identity& settings) {
  if (!tls_ || tls_bundle_ != settings.ca_bundle) {
    tls_bundle_ = settings.ca_bundle;
    tls_ = std::make_shared<net::TlsClientContext>(net::TrustRoots{with_.ca_path, tls_bundle_});
  }
  return tls_;
}

bool Account::suspended(const identity::Credentials& credentials) const {
  return credentials.generation == suspended_generation_;
}

void Account::note(const contract::Identity& settings, const smtp::LoginFailure& failure) {
  const auto reason = catalogue::code(failure.failure.reason);
  const auto known = std::exchange(no_connection_, std::nullopt);
  if (!failure.reply) {
    // Said once while it lasts: the line of each message says it again.
    no_connection_ = {failure.failure.reason, failure.step};
    const auto write = known == no_connection_ ? &base::Log::debug : &base::Log::warning;
    (with_.log->*write)("no connection to the relay",
                        {{"identity", identity_}, {"reason", reason}, {"error", failure.failure.context}});
    return;
  }
  // The relay's words may quote addresses; they go to the app and not into the log.
  const auto code = std::to_string(failure.reply->code);
  if (failure.step == catalogue::Step::Auth) with_.metrics->add(kAuthFailures, {{"code", code}});
  with_.log->warning("the relay refused the login", {{"identity", identity_},
                                                     {"host", settings.host},
                                                     {"step", catalogue::step_name(failure.step)},
                                                     {"reason", reason},
                                                     {"code", code},
                                                     {"enhanced", failure.reply->enhanced}});
}

}  // namespace mailid::upstream
