#pragma once

#include "operator/oauth/http_post.hpp"
#include "operator/oauth/token_client.hpp"

namespace mailid::oauth {

/// The POST of a client-credentials grant (RFC 6749 section 4.4.2).
///
/// Basic: id and secret, each form-encoded, in the Authorization header (section 2.3.1). Post: both in the
/// form. Without a scope none is sent.
PostRequest build_post(const TokenRequest& request);

}  // namespace mailid::oauth
