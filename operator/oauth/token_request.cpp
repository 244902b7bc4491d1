#include "operator/oauth/token_request.hpp"

#include "common/base/encoding.hpp"

namespace mailid::oauth {
namespace {

/// Text that holds a secret while it is put together: it never moves (moving would leave copies behind) and is
/// wiped at the end.
class SecretText {
 public:
  explicit SecretText(std::size_t most) { text_.reserve(most); }
  SecretText(const SecretText&) = delete;
  SecretText& operator=(const SecretText&) = delete;
  ~SecretText() { base::wipe(text_); }

  SecretText& add(std::string_view more) {
    text_.append(more);
    return *this;
  }
  SecretText& add_encoded(std::string_view more) {
    auto encoded = base::form_urlencode(more);
    text_.append(encoded);
    base::wipe(encoded);
    return *this;
  }
  std::string_view view() const { return text_; }

 private:
  std::string text_;
};

/// `Basic base64(id:secret)`, id and secret form-encoded first as RFC 6749 section 2.3.1 wants it.
base::Secret basic_authorization(const TokenRequest& request) {
  SecretText pair(3 * (request.client_id.size() + request.client_secret.size()) + 1);
  pair.add_encoded(request.client_id).add(":").add_encoded(request.client_secret.reveal());
  auto encoded = base::base64_encode(pair.view());
  SecretText header(encoded.size() + 6);
  header.add("Basic ").add(encoded);
  base::wipe(encoded);
  return base::Secret(header.view());
}

}  // namespace

PostRequest build_post(const TokenRequest& request) {
  constexpr std::size_t kNames = 100;  // the parameters' names and what stands between them
  SecretText form(3 * (request.client_id.size() + request.client_secret.size() + request.scope.size()) +
                  kNames);
  form.add("grant_type=client_credentials");

  PostRequest post;
  if (request.authentication == ClientAuthentication::Basic) {
    post.authorization = basic_authorization(request);
  } else {
    form.add("&client_id=").add_encoded(request.client_id);
    form.add("&client_secret=").add_encoded(request.client_secret.reveal());
  }
  if (!request.scope.empty()) form.add("&scope=").add_encoded(request.scope);

  post.url = request.token_url;
  post.form = base::Secret(form.view());
  post.ca_bundle = request.ca_bundle;
  return post;
}

}  // namespace mailid::oauth
