#include "common/http/request_parser.hpp"

#include <optional>

// The one file that includes Beast, and only its parser: bytes are moved by server.cpp.
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "common/base/encoding.hpp"

namespace mailid::http {
namespace beast = boost::beast::http;

namespace {

// A chunk's own header has no limit in Beast; nothing that waits for its end needs more than this.
constexpr std::size_t kLargestPending = std::size_t{4} * 1024;

std::string to_string(boost::beast::string_view text) {
  return {text.data(), text.size()};
}

Response refusal_of(const boost::system::error_code& error) {
  if (error == beast::error::header_limit) return text_response(431, "the header is too large");
  if (error == beast::error::body_limit) return text_response(413, "the body is too large");
  return text_response(400, "not an HTTP/1 request: " + error.message());
}

}  // namespace

struct RequestParser::Impl {
  explicit Impl(ParserLimits wanted) : limits(wanted) { begin(); }

  void begin() {
    parser.emplace();
    parser->eager(true);
    parser->header_limit(static_cast<std::uint32_t>(limits.header_bytes));
    parser->body_limit(limits.body_bytes);
    continued = false;
  }

  State refuse(Response answer) {
    refusal = std::move(answer);
    pending.clear();
    pending.shrink_to_fit();
    return state = State::Refused;
  }

  State advance() {
    while (!pending.empty() && !parser->is_done()) {
      boost::system::error_code error;
      const auto used = parser->put(boost::asio::buffer(pending), error);
      pending.erase(0, used);
      if (error == beast::error::need_more) break;
      if (error) return refuse(refusal_of(error));
    }
    if (parser->is_done()) return state = State::Complete;
    if (pending.size() > limits.header_bytes + kLargestPending)
      return refuse(text_response(431, "the header is too large"));
    if (!parser->got_some() && pending.empty()) return state = State::Idle;
    if (waits_for_continue()) return state = State::WantsContinue;
    return state = State::NeedMore;
  }

  bool waits_for_continue() const {
    if (continued || !parser->is_header_done()) return false;
    const auto expect = parser->get()[beast::field::expect];
    return base::iequals({expect.data(), expect.size()}, "100-continue");
  }

  ParserLimits limits;
  std::optional<beast::request_parser<beast::string_body>> parser;
  std::string pending;
  State state = State::Idle;
  Persistence persistence = Persistence::KeepAlive;
  Response refusal;
  bool continued = false;
};

RequestParser::RequestParser(ParserLimits limits) : impl_(std::make_unique<Impl>(limits)) {}
RequestParser::RequestParser(RequestParser&&) noexcept = default;
RequestParser& RequestParser::operator=(RequestParser&&) noexcept = default;
RequestParser::~RequestParser() = default;

RequestParser::State RequestParser::feed(std::string_view bytes) {
  if (impl_->state == State::Refused) return impl_->state;
  impl_->pending.append(bytes);
  return impl_->advance();
}

RequestParser::State RequestParser::state() const {
  return impl_->state;
}

RequestParser::State RequestParser::continued() {
  impl_->continued = true;
  return impl_->advance();
}

Request RequestParser::take() {
  auto message = impl_->parser->release();
  impl_->persistence = message.keep_alive() ? Persistence::KeepAlive : Persistence::Close;

  Request request;
  request.method = to_string(message.method_string());
  const auto target = to_string(message.target());
  const auto mark = target.find('?');
  request.path = target.substr(0, mark);
  if (mark != std::string::npos) request.query = target.substr(mark + 1);
  for (const auto& field : message) {
    request.headers.emplace_back(to_string(field.name_string()), to_string(field.value()));
  }
  request.body = std::move(message.body());

  impl_->begin();
  impl_->advance();
  return request;
}

Persistence RequestParser::persistence() const {
  return impl_->persistence;
}

const Response& RequestParser::refusal() const {
  return impl_->refusal;
}

}  // namespace mailid::http
