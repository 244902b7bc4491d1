#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/base/clock.hpp"
#include "common/base/log.hpp"
#include "common/base/metrics.hpp"
#include "common/base/random.hpp"
#include "sidecar/delivery/retrying_transport.hpp"
#include "sidecar/delivery/transport.hpp"
#include "sidecar/delivery/verdict.hpp"
#include "sidecar/identity/identities.hpp"
#include "sidecar/server/handler.hpp"

namespace mailid::delivery {

/// What a message needs from the rest of the program; everything must outlive its user.
struct Surroundings {
  identity::Identities& identities;
  Transport& transport;
  net::Timer& timer;
  const base::Clock& clock;
  base::Random& random;
  base::Metrics& metrics;
  const base::Log& log;
};

/// What becomes of a message: Direct mode. The app hears `250` only after the relay's own.
///
/// Each message leaves one line in the log, with addresses redacted, and these metrics:
/// `mail_sidecar_messages_total{result=accepted|refused|deferred|unknown}`,
/// `mail_sidecar_delivery_duration_seconds` and `mail_sidecar_ambiguous_total`.
class Delivery final : public server::Handler {
 public:
  /// @param identities  the pod's default identity, which everything goes out through that no other allows; then its
  ///                    others
  Delivery(std::vector<std::string> identities, Surroundings around);

  std::optional<smtp::Reply> check_sender(const server::Envelope& envelope) const override;
  void turned_away(const server::Envelope& envelope, const smtp::Reply& reply,
                   catalogue::Reason reason) const override;
  /// The largest of all identities, since the sender is not known yet; deliver() knows it. While one of them can't be
  /// used it is the largest that there can be.
  std::uint64_t message_size_limit() const override;
  std::uint32_t recipient_limit() const override;
  asio::awaitable<smtp::Reply> deliver(const server::Envelope& envelope, const spool::Body& body,
                                       std::stop_token app_gone) override;

  /// Messages that wait for an answer now.
  std::size_t under_way() const { return under_way_.size(); }
  /// Writes one line for each of them and counts it as unknown: the program ends and nobody will hear of them.
  void name_left_behind();

 private:
  /// What is known of a message while it is here, for its line in the log.
  struct Job {
    const server::Envelope* envelope;
    std::uint64_t size;
    std::string id;
    base::SteadyTime begun;
    std::stop_token app_gone;
    std::string identity;
    std::string message_id;  ///< the app's or ours, known once the header was read
  };
  class UnderWay;

  asio::awaitable<Verdict> handle(const server::Envelope& envelope, const spool::Body& body, Job& job);
  /// The trace header of a message that may leave through this identity, or why it may not. What it read of the
  /// message is gone when it returns: a crowd of waiting messages must not keep their headers in memory.
  base::Expected<std::string, Verdict> admit(const contract::Identity& settings, const spool::Body& body,
                                             Job& job) const;
  /// Why one of the pod's identities is not known yet, so that nobody can say which senders it allows.
  std::optional<catalogue::Failure> not_known_yet() const;
  void report(const Job& job, const Verdict& verdict);
  template <class T>
  T largest(T contract::Identity::* limit) const;

  std::vector<std::string> names_;
  std::string preferred_;
  Surroundings around_;
  RetryingTransport transport_;
  std::map<std::string, const Job*> under_way_;
};

}  // namespace mailid::delivery
