#include "sidecar/app/probe.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>

namespace mailid::app {
namespace {

// The kubelet gives the startup probe two seconds.
constexpr timeval kTime{1, 500'000};
constexpr std::size_t kMaxAnswer = 16'384;

class Socket {
 public:
  Socket() : descriptor_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    ::setsockopt(descriptor_, SOL_SOCKET, SO_SNDTIMEO, &kTime, sizeof kTime);
    ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &kTime, sizeof kTime);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  int get() const { return descriptor_; }

 private:
  int descriptor_;
};

base::Unexpected<std::string> system_failure(std::string_view what, std::uint16_t port) {
  const bool late = errno == EAGAIN || errno == EINPROGRESS;
  // NOLINTNEXTLINE(concurrency-mt-unsafe): a program of one thread
  const std::string words = late ? "no answer in time" : std::strerror(errno);
  return {std::string(what) + " 127.0.0.1 port " + std::to_string(port) + ": " + words};
}

}  // namespace

base::Expected<base::Done, std::string> probe(std::uint16_t port, const std::string& page) {
  const Socket socket;
  if (socket.get() < 0) return system_failure("no socket for", port);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  if (::connect(socket.get(), generic, sizeof address) != 0) return system_failure("can't connect to", port);

  const auto request = "GET " + page + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
  const auto sent = ::send(socket.get(), request.data(), request.size(), MSG_NOSIGNAL);
  if (sent != static_cast<ssize_t>(request.size())) return system_failure("can't ask", port);

  std::string answer;
  std::array<char, 1024> buffer;
  for (;;) {
    const auto count = ::recv(socket.get(), buffer.data(), buffer.size(), 0);
    if (count < 0) return system_failure("no answer from", port);
    if (count == 0 || answer.size() > kMaxAnswer) break;
    answer.append(buffer.data(), static_cast<std::size_t>(count));
  }
  if (answer.starts_with("HTTP/1.1 200 ")) return base::Done{};
  const auto body = answer.find("\r\n\r\n");
  return base::Unexpected{body == std::string::npos ? "an answer that is not HTTP" : answer.substr(body + 4)};
}

}  // namespace mailid::app
