#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mailid::http {

/// One complete request, its body included.
struct Request {
  std::string method;                                        ///< as it was sent: `GET`, `POST`
  std::string path;                                          ///< the target up to `?`, not decoded
  std::string query;                                         ///< what follows `?`, without it; may be empty
  std::vector<std::pair<std::string, std::string>> headers;  ///< in the order they came
  std::string body;

  /// The value of the first header of this name (any case), or empty.
  std::string_view header(std::string_view name) const;
};

/// What the client gets. Connection and Content-Length are added when it is written.
struct Response {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
};

/// A response of one line of text, for errors and health pages.
Response text_response(int status, std::string_view text);

/// Whether the connection goes on after a response.
enum class Persistence { KeepAlive, Close };

/// The bytes on the wire (RFC 9112). A HEAD request gets the header only.
std::string format(const Response& response, Persistence persistence, std::string_view method);

}  // namespace mailid::http
