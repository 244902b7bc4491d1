#include "common/http/message.hpp"

#include <fmt/format.h>

#include "common/base/encoding.hpp"

namespace mailid::http {
namespace {

struct StatusText {
  int status;
  std::string_view text;
};

constexpr StatusText kStatusTexts[] = {
    {200, "OK"},
    {400, "Bad Request"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {408, "Request Timeout"},
    {413, "Content Too Large"},
    {415, "Unsupported Media Type"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {503, "Service Unavailable"},
};

std::string_view status_text(int status) {
  for (const auto& row : kStatusTexts) {
    if (row.status == status) return row.text;
  }
  return "Unknown";
}

}  // namespace

std::string_view Request::header(std::string_view name) const {
  for (const auto& [field, value] : headers) {
    if (base::iequals(field, name)) return value;
  }
  return {};
}

Response text_response(int status, std::string_view text) {
  Response response;
  response.status = status;
  response.body = fmt::format("{}\n", text);
  return response;
}

std::string format(const Response& response, Persistence persistence, std::string_view method) {
  auto text = fmt::format(
      "HTTP/1.1 {} {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nX-Content-Type-Options: nosniff\r\n"
      "Connection: {}\r\n\r\n",
      response.status, status_text(response.status), response.content_type, response.body.size(),
      persistence == Persistence::KeepAlive ? "keep-alive" : "close");
  if (method != "HEAD") text += response.body;
  return text;
}

}  // namespace mailid::http
