#pragma once

#include <boost/asio/ssl/context.hpp>

#include "operator/kube/material.hpp"

namespace mailid::kube {

/// What the TLS of the API server is made of: whom we believe, and who we are. Files are read at each use.
struct Trust {
  Material ca;                  ///< PEM of the only roots to believe; the system's where empty
  Material client_certificate;  ///< PEM of our chain, empty where we have none
  Material client_key;          ///< PEM
};

/// Makes a fresh client context take TLS 1.2 or newer, believe the roots of `trust` and show its certificate. The name in
/// the peer's certificate is checked elsewhere. Called on the library's thread, which expects an exception:
/// std::runtime_error with a sentence about what can't be used.
void set_up_tls(boost::asio::ssl::context& context, const Trust& trust);

}  // namespace mailid::kube
