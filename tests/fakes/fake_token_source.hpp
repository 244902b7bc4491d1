#pragma once

#include <map>
#include <string>
#include <utility>

#include "sidecar/identity/identities.hpp"

namespace mailid::fakes {

/// Identities that a test puts in, takes away and rotates by hand, without files.
class FakeTokenSource final : public identity::Identities {
 public:
  /// Settings that every test can live with, under `name`.
  static contract::Identity settings_of(std::string name) {
    contract::Identity settings;
    settings.mailbox = name + "@contoso.test";
    settings.name = std::move(name);
    settings.host = "relay.test";
    return settings;
  }

  /// What current() gives from now on: a new generation.
  void put(contract::Identity settings, std::string_view token) {
    trouble_.erase(settings.name);
    auto credentials = make(std::move(settings), token);
    known_[credentials->settings.name] = std::move(credentials);
  }
  /// What refresh() finds the next time, for tokens that rotate while a login is under way.
  void put_for_refresh(contract::Identity settings, std::string_view token) {
    auto credentials = make(std::move(settings), token);
    found_by_refresh_[credentials->settings.name] = std::move(credentials);
  }
  /// current() and refresh() fail from now on.
  void fail(const std::string& name, catalogue::Failure failure) {
    trouble_.insert_or_assign(name, std::move(failure));
  }
  /// How often somebody asked to look at the files again.
  int refreshes() const { return refreshes_; }

  catalogue::Result<identity::CredentialsPtr> current(std::string_view identity) override {
    const auto trouble = trouble_.find(identity);
    if (trouble != trouble_.end()) return base::Unexpected{trouble->second};
    const auto known = known_.find(identity);
    if (known == known_.end()) {
      return base::Unexpected{catalogue::Failure{catalogue::Reason::IdentityMissing, std::string(identity)}};
    }
    return known->second;
  }

  catalogue::Result<identity::CredentialsPtr> refresh(std::string_view identity) override {
    ++refreshes_;
    const auto found = found_by_refresh_.find(identity);
    if (found != found_by_refresh_.end()) {
      known_[found->first] = found->second;
      found_by_refresh_.erase(found);
    }
    return current(identity);
  }

  std::vector<std::string> names() const override {
    std::vector<std::string> names;
    names.reserve(known_.size());
    for (const auto& [name, credentials] : known_) names.push_back(name);
    return names;
  }

  std::string pick(std::string_view sender, std::string_view preferred) override {
    std::vector<identity::CredentialsPtr> known;
    known.reserve(known_.size());
    for (const auto& [name, credentials] : known_) known.push_back(credentials);
    return identity::pick_identity(known, sender, preferred);
  }

 private:
  identity::CredentialsPtr make(contract::Identity settings, std::string_view token) {
    identity::Credentials credentials;
    credentials.settings = std::move(settings);
    credentials.token = std::make_shared<const base::Secret>(token);
    credentials.generation = ++last_generation_;
    return std::make_shared<const identity::Credentials>(std::move(credentials));
  }

  std::map<std::string, identity::CredentialsPtr, std::less<>> known_;
  std::map<std::string, identity::CredentialsPtr, std::less<>> found_by_refresh_;
  std::map<std::string, catalogue::Failure, std::less<>> trouble_;
  std::uint64_t last_generation_ = 0;
  int refreshes_ = 0;
};

}  // namespace mailid::fakes
