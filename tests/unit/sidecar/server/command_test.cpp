#include "sidecar/server/command.hpp"

#include <gmock/gmock.h>
#include <limits>
#include <random>

#include "sidecar/server/address.hpp"

namespace mailid::server {
namespace {

using namespace std::string_literals;
using testing::HasSubstr;

/// The sender that MAIL's argument gives, or the reply.
std::string sender_of(std::string_view argument) {
  const auto envelope = parse_mail(argument, false);
  return envelope ? envelope->sender : smtp::format(envelope.error());
}

std::string recipient_of(std::string_view argument) {
  const auto address = parse_rcpt(argument, false);
  return address ? *address : smtp::format(address.error());
}

TEST(Command, IsReadInAnyCase) {
  EXPECT_EQ(parse_command("EHLO app.test").verb, Verb::Ehlo);
  EXPECT_EQ(parse_command("ehlo app.test").argument, "app.test");
  EXPECT_EQ(parse_command("mail from:<a@b.test>").verb, Verb::Mail);
  EXPECT_EQ(parse_command("Rcpt To:<a@b.test> X").argument, "<a@b.test> X");
  EXPECT_EQ(parse_command("QUIT").verb, Verb::Quit);
  EXPECT_EQ(parse_command("data  ").argument, "");
}

TEST(Command, OfAnotherProtocolIsKnown) {
  EXPECT_EQ(parse_command("GET / HTTP/1.1").verb, Verb::Http);
  EXPECT_EQ(parse_command("POST /v1/send HTTP/1.0").verb, Verb::Http);
  EXPECT_TRUE(is_foreign('\x16'));
  EXPECT_TRUE(is_foreign('{'));
  EXPECT_FALSE(is_foreign('e'));
  EXPECT_FALSE(is_foreign('\r'));
}

TEST(Command, ThatIsLeftOutIsNotUnknown) {
  for (const auto* line : {"STARTTLS", "BDAT 10 LAST", "EXPN staff", "ETRN x", "XCLIENT NAME=x", "HELP"}) {
    EXPECT_EQ(parse_command(line).verb, Verb::NotOffered) << line;
  }
}

TEST(Command, OfNonsenseIsUnknown) {
  for (const auto& line : {""s, "EHLOX app"s, "MAIL <a@b.test>"s, "MAIL FROM <a@b.test>"s, "RCPT TO"s,
                           "NOOP\0"s, "NOOP\x7f"s, "EHLO a\rb"s, "DATA\t"s, "RS\xc3\xabT"s}) {
    EXPECT_EQ(parse_command(line).verb, Verb::Unknown) << testing::PrintToString(line);
  }
}

TEST(MailCommand, GivesTheSender) {
  EXPECT_EQ(sender_of("<billing@contoso.test>"), "billing@contoso.test");
  EXPECT_EQ(sender_of("<>"), "");
  EXPECT_EQ(sender_of("<o'brien+tag=x@mail-1.contoso.test>"), "o'brien+tag=x@mail-1.contoso.test");
  EXPECT_EQ(sender_of("<a..b.@docomo.test>"), "a..b.@docomo.test");
  EXPECT_EQ(sender_of("<root@localhost>"), "root@localhost");
  EXPECT_EQ(sender_of("<a@[192.0.2.1]>"), "a@[192.0.2.1]");
  EXPECT_EQ(sender_of("<a@[IPv6:2001:db8::1]>"), "a@[IPv6:2001:db8::1]");
}

TEST(MailCommand, IsReadAsAppsWriteIt) {
  EXPECT_EQ(sender_of("  <a@b.test>"), "a@b.test");
  EXPECT_EQ(sender_of("a@b.test"), "a@b.test");
  EXPECT_EQ(sender_of("a@b.test SIZE=10"), "a@b.test");
  EXPECT_EQ(sender_of("<@relay1.test,@relay2.test:a@b.test>"), "a@b.test");
}

TEST(MailCommand, KeepsAQuotedLocalPartAsItIs) {
  EXPECT_EQ(sender_of(R"(<"a b"@c.test>)"), R"("a b"@c.test)");
  EXPECT_EQ(sender_of(R"(<"a>b@x"@c.test> SIZE=1)"), R"("a>b@x"@c.test)");
  EXPECT_EQ(sender_of(R"(<"a\"b\\"@c.test>)"), R"("a\"b\\"@c.test)");
}

TEST(MailCommand, RefusesWhatIsNoAddress) {
  for (const auto* argument : {"",
                               "<",
                               "<a@b.test",
                               "a@b.test>",
                               "<a b@c.test>",
                               "<a@b c.test>",
                               "<a@>",
                               "<@b.test>",
                               "<@b.test:>",
                               "<a@b..test>",
                               "<a@.b.test>",
                               "<a@b.test.>",
                               "<a@b_>x",
                               "<a@b.test>SIZE=1",
                               "<<a@b.test>>",
                               "<a@b@c.test>",
                               R"(<"a@b.test>)",
                               R"(<"a"b@c.test>)",
                               R"(<"a\>)",
                               "<a(comment)@b.test>",
                               "<a@[1.2.3.4>",
                               "<a@[]>",
                               "<a@[1.2.3.4]x>",
                               "<root>",
                               "<a,b@c.test>",
                               "<a@b.test,c@d.test>",
                               "<a@b;test>"}) {
    EXPECT_THAT(sender_of(argument), HasSubstr("501 5.1.7 ")) << argument;
  }
}

TEST(MailCommand, SaysWhatIsWrong) {
  EXPECT_EQ(sender_of("<root>"), "501 5.1.7 Syntax: MAIL FROM:<address>, address without a domain\r\n");
}

TEST(MailCommand, TakesTheLongestAddressAndNoLonger) {
  const auto address = std::string(kMaxAddress - 7, 'x') + "@b.test";
  EXPECT_EQ(sender_of("<" + address + ">"), address);
  EXPECT_THAT(sender_of("<x" + address + ">"), HasSubstr("longer than 254"));
}

TEST(MailCommand, NeedsSmtpUtf8BeyondAscii) {
  EXPECT_THAT(sender_of("<j\u00fcrgen@b.test>"), HasSubstr("553 5.6.7 "));
  const auto envelope = parse_mail("<j\u00fcrgen@b\u00fccher.test> SMTPUTF8 BODY=8BITMIME", false);
  ASSERT_TRUE(envelope);
  EXPECT_EQ(envelope->sender, "j\u00fcrgen@b\u00fccher.test");
  EXPECT_TRUE(envelope->smtputf8);
  EXPECT_THAT(sender_of("<j\xfcrgen@b.test> SMTPUTF8"), HasSubstr("501 5.1.7 "));
}

TEST(MailCommand, TakesParametersInAnyCaseAndOrder) {
  const auto envelope = parse_mail("<a@b.test>  body=8bitmime   size=12345", false);
  ASSERT_TRUE(envelope);
  EXPECT_TRUE(envelope->eight_bit);
  EXPECT_FALSE(envelope->smtputf8);
  EXPECT_EQ(envelope->declared_size, 12345U);
  EXPECT_FALSE(parse_mail("<a@b.test> BODY=7BIT", false)->eight_bit);
}

TEST(MailCommand, TakesASizeBeyondAllNumbersForTheLargest) {
  EXPECT_EQ(parse_mail("<a@b.test> SIZE=99999999999999999999", false)->declared_size,
            std::numeric_limits<std::uint64_t>::max());
}

TEST(MailCommand, RefusesParametersThatItDoesNotKnowOrUnderstand) {
  for (const auto* bad :
       {"SIZE", "SIZE=", "SIZE=x", "SIZE=-1", "SIZE=1x", "SIZE=111111111111111111111", "BODY",
        "BODY=BINARYMIME", "SMTPUTF8=1", "SIZE=1 SIZE=2", "smtputf8 SMTPUTF8", "a b c d e f g h i"}) {
    EXPECT_THAT(sender_of("<a@b.test> "s + bad), HasSubstr("501 5.5.4 ")) << bad;
  }
  for (const auto* unknown : {"RET=HDRS", "ENVID=x", "AUTH=<>", "FOO", "=", "=x"}) {
    EXPECT_THAT(sender_of("<a@b.test> "s + unknown), HasSubstr("555 5.5.4 ")) << unknown;
  }
}

TEST(MailCommand, TakesAndIgnoresAuthWhereAuthIsOffered) {
  EXPECT_TRUE(parse_mail("<a@b.test> AUTH=<>", true));
}

TEST(RcptCommand, GivesTheRecipient) {
  EXPECT_EQ(recipient_of("<ann@fabrikam.test>"), "ann@fabrikam.test");
  EXPECT_EQ(recipient_of("<Postmaster>"), "Postmaster");
}

TEST(RcptCommand, RefusesWhatIsNoRecipient) {
  for (const auto* argument : {"<>", "", "<ann>", "<ann@>"}) {
    EXPECT_THAT(recipient_of(argument), HasSubstr("501 5.1.3 ")) << argument;
  }
  EXPECT_EQ(recipient_of("<a@b.test> NOTIFY=NEVER"), "555 5.5.4 Parameter not supported: NOTIFY\r\n");
  EXPECT_THAT(recipient_of("<\u00e4@b.test>"), HasSubstr("553 5.6.7 "));
  EXPECT_TRUE(parse_rcpt("<\u00e4@b.test>", true));
}

/// What an address must never hold once it is accepted: it is put between brackets on another line.
bool breaks_a_line(std::string_view address) {
  bool quoted = false;
  for (std::size_t i = 0; i < address.size(); ++i) {
    const auto byte = static_cast<unsigned char>(address[i]);
    if (byte < 0x20 || byte == 0x7f) return true;
    if (address[i] == '"') quoted = !quoted;
    if (quoted && address[i] == '\\') ++i;
    if (!quoted && (address[i] == '<' || address[i] == '>' || address[i] == ' ')) return true;
  }
  return quoted;
}

TEST(Command, OfRandomOctetsNeverGivesAnAddressThatBreaksALine) {
  const std::string alphabet = "<<>>@@\"\"\\\\ .,:[]ab\r\n\0\x7f\xc3\xbc="s;
  std::mt19937 random(42);
  int accepted = 0;
  for (int round = 0; round < 300'000; ++round) {
    std::string text = round % 2 == 0 ? "<a@b" : "<\"";
    for (auto length = random() % 12; length > 0; --length) text += alphabet[random() % alphabet.size()];
    if (round % 3 == 0) text += "@b.test>";
    const auto line = "RCPT TO:" + text;
    const auto command = parse_command(line);
    if (command.verb != Verb::Rcpt) continue;
    const auto address = parse_rcpt(command.argument, true);
    if (!address) continue;
    ++accepted;
    ASSERT_FALSE(breaks_a_line(*address)) << testing::PrintToString(text);
  }
  EXPECT_GT(accepted, 500) << "the generator hits nothing";
}

}  // namespace
}  // namespace mailid::server
