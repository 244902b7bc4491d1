#include "sidecar/delivery/address_list.hpp"

#include <algorithm>
#include <span>

namespace mailid::delivery {
namespace {

constexpr std::size_t kMaxAddresses = 100;

struct Token {
  enum class Kind { Word, Quoted, Literal, Special, End, Broken };
  Kind kind = Kind::End;
  std::string text;  ///< of a quoted string without quotes and escapes

  bool is(char special) const { return kind == Kind::Special && text.front() == special; }
  bool is_any_of(std::string_view specials) const {
    return kind == Kind::End ||
           (kind == Kind::Special && specials.find(text.front()) != std::string_view::npos);
  }
  bool is_word() const { return kind == Kind::Word || kind == Kind::Quoted; }
};

bool is_control(char c) {
  const auto octet = static_cast<unsigned char>(c);
  return octet < 0x20 || octet == 0x7f;
}

bool is_special(char c) {
  return std::string_view("()<>[]:;@\\,.\"").find(c) != std::string_view::npos;
}

bool is_word_octet(char c) {
  return c != ' ' && c != '\t' && !is_control(c) && !is_special(c);
}

/// The lexical tokens of RFC 5322 section 3.2, without spaces and comments.
class Tokens {
 public:
  explicit Tokens(std::string_view text) : rest_(text) {}

  Token next() {
    if (!skip_spaces_and_comments()) return broken();
    if (rest_.empty()) return {};
    if (rest_.front() == '"') return quoted();
    if (rest_.front() == '[') return literal();
    if (const auto size = encoded_word_size(); size > 0) return take(Token::Kind::Word, size);
    const auto size =
        static_cast<std::size_t>(std::find_if_not(rest_.begin(), rest_.end(), is_word_octet) - rest_.begin());
    if (size > 0) return take(Token::Kind::Word, size);
    if (is_control(rest_.front()) || rest_.front() == ')' || rest_.front() == '\\') return broken();
    return take(Token::Kind::Special, 1);
  }

 private:
  static Token broken() { return {Token::Kind::Broken, {}}; }

  Token take(Token::Kind kind, std::size_t size) {
    Token token{kind, std::string(rest_.substr(0, size))};
    rest_.remove_prefix(size);
    return token;
  }

  /// False where a comment does not end.
  bool skip_spaces_and_comments() {
    std::size_t depth = 0;
    while (!rest_.empty()) {
      const char c = rest_.front();
      if (c == '(') {
        ++depth;
      } else if (depth > 0 && c == ')') {
        --depth;
      } else if (depth > 0 && c == '\\') {
        rest_.remove_prefix(1);
        if (rest_.empty()) return false;
      } else if (depth == 0 && c != ' ' && c != '\t') {
        return true;
      }
      rest_.remove_prefix(1);
    }
    return depth == 0;
  }

  /// `=?charset?Q?text?=` is one word even where careless programs left commas or parentheses in its text; with an
  /// at sign or brackets in it others might see an address, so then it is none.
  std::size_t encoded_word_size() const {
    if (!rest_.starts_with("=?")) return 0;
    std::size_t marks = 1;
    for (std::size_t i = 2; i < rest_.size(); ++i) {
      const char c = rest_[i];
      if (c == ' ' || c == '\t' || is_control(c) || c == '@' || c == '<' || c == '>' || c == '"') return 0;
      if (c != '?') continue;
      if (++marks == 4) return rest_.substr(i).starts_with("?=") ? i + 2 : 0;
    }
    return 0;
  }

  Token quoted() {
    Token token{Token::Kind::Quoted, {}};
    for (std::size_t i = 1; i < rest_.size(); ++i) {
      if (rest_[i] == '"') {
        rest_.remove_prefix(i + 1);
        return token;
      }
      if (rest_[i] == '\\') ++i;
      if (i == rest_.size()) break;
      if (is_control(rest_[i]) && rest_[i] != '\t') break;
      token.text += rest_[i];
    }
    return broken();
  }

  Token literal() {
    const auto end = rest_.find(']');
    if (end == std::string_view::npos) return broken();
    const auto inside = rest_.substr(1, end - 1);
    const bool odd = std::any_of(inside.begin(), inside.end(),
                                 [](char c) { return c == '[' || c == '\\' || is_control(c); });
    return odd ? broken() : take(Token::Kind::Literal, end + 1);
  }

  std::string_view rest_;
};

std::string quoted_if_needed(const Token& word) {
  const bool plain = word.kind == Token::Kind::Word ||
                     (!word.text.empty() && std::all_of(word.text.begin(), word.text.end(),
                                                        [](char c) { return is_word_octet(c) || c == '.'; }));
  if (plain) return word.text;
  std::string quoted = "\"";
  for (const char c : word.text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted += '"';
}

/// Words with dots between them. Two words side by side are two things to one reader and one to another.
std::optional<std::string> dotted(std::span<const Token> tokens) {
  std::string text;
  bool after_word = false;
  for (const auto& token : tokens) {
    const bool word = token.is_word();
    if (word ? after_word : !token.is('.')) return std::nullopt;
    text += word ? quoted_if_needed(token) : ".";
    after_word = word;
  }
  if (text.empty()) return std::nullopt;
  return text;
}

std::optional<std::string> domain_of(std::span<const Token> tokens) {
  if (tokens.size() == 1 && tokens.front().kind == Token::Kind::Literal) return tokens.front().text;
  const bool quoted = std::any_of(tokens.begin(), tokens.end(),
                                  [](const Token& token) { return token.kind == Token::Kind::Quoted; });
  return quoted ? std::nullopt : dotted(tokens);
}

class AddressList {
 public:
  explicit AddressList(std::string_view text) : tokens_(text), next_(tokens_.next()) {}

  bool parse() {
    while (next_.kind != Token::Kind::End) {
      if (next_.is(',')) {
        advance();
      } else if (!parse_address(Place::TopLevel)) {
        return false;
      }
    }
    return !addresses_.empty() || groups_ > 0;
  }
  std::vector<std::string> take() { return std::move(addresses_); }

 private:
  enum class Place { TopLevel, Group };

  void advance() { next_ = tokens_.next(); }

  /// All tokens up to one of `ends`, which stays.
  std::vector<Token> until(std::string_view ends) {
    std::vector<Token> taken;
    for (; !next_.is_any_of(ends) && next_.kind != Token::Kind::Broken; advance())
      taken.push_back(std::move(next_));
    return taken;
  }

  bool parse_address(Place place) {
    const auto front = until(",;<:");
    if (next_.is('<')) return parse_angle(place);
    if (next_.is(':')) return place == Place::TopLevel && parse_group(front);
    return at_end(place) && add(front);
  }

  bool at_end(Place place) const {
    if (place == Place::Group) return next_.is(',') || next_.is(';');
    return next_.kind == Token::Kind::End || next_.is(',');
  }

  bool parse_angle(Place place) {
    advance();
    if (next_.is('@') || next_.is(',')) {  // a source route, which nobody follows any more
      until(":>");
      if (!next_.is(':')) return false;
      advance();
    }
    const auto inside = until("<>");
    if (!next_.is('>')) return false;
    advance();
    return at_end(place) && add(inside);
  }

  bool parse_group(const std::vector<Token>& name) {
    const bool named = !name.empty() && std::all_of(name.begin(), name.end(), [](const Token& token) {
      return token.is_word() || token.is('.');
    });
    if (!named) return false;
    advance();
    ++groups_;
    while (!next_.is(';')) {
      if (next_.is(',')) {
        advance();
      } else if (!parse_address(Place::Group)) {
        return false;
      }
    }
    advance();
    return at_end(Place::TopLevel);
  }

  bool add(std::span<const Token> spec) {
    const auto at = std::find_if(spec.begin(), spec.end(), [](const Token& token) { return token.is('@'); });
    if (at == spec.end() || addresses_.size() == kMaxAddresses) return false;
    const auto local = dotted({spec.begin(), at});
    const auto domain = domain_of({at + 1, spec.end()});
    if (!local || !domain) return false;
    addresses_.push_back(*local + '@' + *domain);
    return true;
  }

  Tokens tokens_;
  Token next_;
  std::size_t groups_ = 0;
  std::vector<std::string> addresses_;
};

}  // namespace

std::optional<std::vector<std::string>> addresses_of(std::string_view value) {
  AddressList list(value);
  if (!list.parse()) return std::nullopt;
  return list.take();
}

}  // namespace mailid::delivery
