#include "common/net/tls_descriptor.hpp"

#include <memory>
#include <openssl/bio.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

namespace mailid::net {
namespace {

struct FreeMethod {
  void operator()(BIO_METHOD* method) const noexcept { BIO_meth_free(method); }
};
using Method = std::unique_ptr<BIO_METHOD, FreeMethod>;

int send_without_signal(BIO* bio, const char* bytes, int count) {
  const int descriptor = static_cast<int>(BIO_get_fd(bio, nullptr));
  const auto sent = ::send(descriptor, bytes, static_cast<std::size_t>(count), MSG_NOSIGNAL);
  BIO_clear_retry_flags(bio);
  if (sent <= 0 && BIO_sock_should_retry(static_cast<int>(sent)) != 0) BIO_set_retry_write(bio);
  return static_cast<int>(sent);
}

/// OpenSSL's own socket, except for write(2), which raises SIGPIPE where the peer has gone.
Method make_method() {
  const BIO_METHOD* socket = BIO_s_socket();
  Method method(BIO_meth_new(BIO_TYPE_SOCKET, "socket without SIGPIPE"));
  if (!method) return method;
  BIO_meth_set_write(method.get(), send_without_signal);
  BIO_meth_set_read(method.get(), BIO_meth_get_read(socket));
  BIO_meth_set_puts(method.get(), BIO_meth_get_puts(socket));
  BIO_meth_set_ctrl(method.get(), BIO_meth_get_ctrl(socket));
  BIO_meth_set_create(method.get(), BIO_meth_get_create(socket));
  BIO_meth_set_destroy(method.get(), BIO_meth_get_destroy(socket));
  return method;
}

}  // namespace

bool attach(ssl_st& session, int descriptor) {
  static const Method kMethod = make_method();
  BIO* bio = kMethod ? BIO_new(kMethod.get()) : nullptr;
  if (bio == nullptr) return false;
  BIO_set_fd(bio, descriptor, BIO_NOCLOSE);
  SSL_set_bio(&session, bio, bio);
  return true;
}

}  // namespace mailid::net
