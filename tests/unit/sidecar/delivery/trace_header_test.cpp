#include "sidecar/delivery/trace_header.hpp"

#include <gtest/gtest.h>

namespace mailid::delivery {
namespace {

constexpr base::Time kNow{std::chrono::sys_days(std::chrono::year(2026) / 11 / 4) + std::chrono::hours(5) +
                          std::chrono::seconds(67)};

std::string trace_of(std::string_view message, std::string_view mailbox = "billing@contoso.test",
                     bool smtputf8 = false) {
  return trace_header(parse_message_header(message), Trace{"4f2a", kNow, mailbox, smtputf8});
}

TEST(TraceHeader, AddsWhatIsMissing) {
  EXPECT_EQ(trace_of("Subject: x\r\n"),
            "Received: from localhost by mail-sidecar with ESMTP id 4f2a;\r\n"
            "\tWed, 4 Nov 2026 05:01:07 +0000\r\n"
            "Date: Wed, 4 Nov 2026 05:01:07 +0000\r\n"
            "Message-ID: <4f2a@contoso.test>\r\n");
}

TEST(TraceHeader, LeavesTheAppsOwnFieldsAlone) {
  EXPECT_EQ(trace_of("Date: yesterday\r\nMessage-ID: <1@x>\r\n"),
            "Received: from localhost by mail-sidecar with ESMTP id 4f2a;\r\n"
            "\tWed, 4 Nov 2026 05:01:07 +0000\r\n");
}

TEST(TraceHeader, EndsTheHeaderOfAMessageThatIsOnlyText) {
  EXPECT_TRUE(trace_of("Hello\r\n").ends_with("contoso.test>\r\n\r\n"));
  EXPECT_TRUE(trace_of("\r\n").ends_with("contoso.test>\r\n"));
  EXPECT_FALSE(trace_of("\r\n").ends_with("\r\n\r\n"));
}

TEST(TraceHeader, SaysHowAnInternationalMessageCame) {
  EXPECT_NE(trace_of("", "billing@contoso.test", true).find("with UTF8SMTP id"), std::string::npos);
}

TEST(TraceHeader, TakesNoOddDomainIntoAMessageId) {
  EXPECT_NE(trace_of("", "billing@cont>oso.test").find("<4f2a@mail-sidecar.invalid>"), std::string::npos);
  EXPECT_NE(trace_of("", "billing@").find("<4f2a@mail-sidecar.invalid>"), std::string::npos);
}

TEST(FormatMailDate, IsRightAtTheEdges) {
  EXPECT_EQ(format_mail_date(base::Time{}), "Thu, 1 Jan 1970 00:00:00 +0000");
  const base::Time march{std::chrono::sys_days(std::chrono::year(2028) / 3 / 1)};
  EXPECT_EQ(format_mail_date(march - base::Duration(1)), "Tue, 29 Feb 2028 23:59:59 +0000");
}

}  // namespace
}  // namespace mailid::delivery
