#include "sidecar/delivery/address_list.hpp"

#include <gmock/gmock.h>

namespace mailid::delivery {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::Optional;

/// What a From field says, and whom it names.
struct Readable {
  std::string_view value;
  std::vector<std::string> addresses;
};

const Readable kReadable[] = {
    {"billing@contoso.test", {"billing@contoso.test"}},
    {"<billing@contoso.test>", {"billing@contoso.test"}},
    {"Billing <billing@contoso.test>", {"billing@contoso.test"}},
    {"John Q. Public <jqp@contoso.test>", {"jqp@contoso.test"}},
    {"\"Doe, John\" <jd@contoso.test>", {"jd@contoso.test"}},
    {"\"ceo@contoso.test\" <jd@contoso.test>", {"jd@contoso.test"}},
    {"ceo@contoso.test <jd@contoso.test>", {"jd@contoso.test"}},
    {"\"He said \\\"hi\\\" <ceo@contoso.test>\" <jd@contoso.test>", {"jd@contoso.test"}},
    {"a@x.test, B <b@x.test>,c@x.test", {"a@x.test", "b@x.test", "c@x.test"}},
    {",, a@x.test ,", {"a@x.test"}},
    {"Team: a@x.test, B <b@x.test>;", {"a@x.test", "b@x.test"}},
    {"Team: a@x.test;, c@x.test", {"a@x.test", "c@x.test"}},
    {"undisclosed-recipients:;", {}},
    {"jd@contoso.test (John (the) Doe)", {"jd@contoso.test"}},
    {"(ceo@contoso.test) jd@contoso.test", {"jd@contoso.test"}},
    {"jd (no \\) end) @ contoso (x) . test", {"jd@contoso.test"}},
    {"=?utf-8?Q?J=C3=BCrgen?= <j@x.test>", {"j@x.test"}},
    {"=?utf-8?B?SsO8cmdlbg==?= =?utf-8?Q?M?= <j@x.test>", {"j@x.test"}},
    {"=?utf-8?Q?Doe,_John_(Sales)?= <j@x.test>", {"j@x.test"}},
    {"=?utf-8?Q?billing@contoso.test?= <j@x.test>", {"j@x.test"}},
    {"J\xc3\xbcrgen <j\xc3\xbcrgen@x.test>", {"j\xc3\xbcrgen@x.test"}},
    {"\"billing\"@contoso.test", {"billing@contoso.test"}},
    {"\"john doe\"@contoso.test", {"\"john doe\"@contoso.test"}},
    {"\"a\\\"b\"@contoso.test", {"\"a\\\"b\"@contoso.test"}},
    {"a@[192.0.2.1]", {"a@[192.0.2.1]"}},
    {"<@relay.test,@b.test:a@x.test>", {"a@x.test"}},
    {"a..b.@x.test", {"a..b.@x.test"}},
    {"\ta@x.test \t", {"a@x.test"}},
};

class ReadableFrom : public testing::TestWithParam<Readable> {};

TEST_P(ReadableFrom, NamesItsAddresses) {
  EXPECT_THAT(addresses_of(GetParam().value), Optional(ElementsAreArray(GetParam().addresses)));
}

INSTANTIATE_TEST_SUITE_P(All, ReadableFrom, testing::ValuesIn(kReadable));

/// What two readers could take for two different senders, or for none.
const std::string_view kUnreadable[] = {
    "",
    "Billing",
    "Billing billing@contoso.test",
    "a@b@contoso.test",
    "a@",
    "@contoso.test",
    "<>",
    "Billing <>",
    "Billing <billing@contoso.test",
    "<billing@contoso.test> <ceo@contoso.test>",
    "<billing@contoso.test> ceo@contoso.test",
    "<a <b@x.test>>",
    "a@x.test; b@x.test",
    "Team: a@x.test",
    "Team: Inner: a@x.test;;",
    "Team: a@x.test; b@x.test",
    ": a@x.test;",
    "\"open <billing@contoso.test>",
    "(open billing@contoso.test",
    "a@x.test)",
    "a\\b@x.test",
    "a@x\001.test",
    "a b@x.test",
    "a@x test",
    "a@\"x\".test",
    "a@[192.0.2.1",
    "=?utf-8?Q?x,ceo@contoso.test,?= <billing@contoso.test>",
    "=?utf-8?Q?x?= <ceo@contoso.test>, <billing@contoso.test> =?utf-8?Q?y?=",
};

class UnreadableFrom : public testing::TestWithParam<std::string_view> {};

TEST_P(UnreadableFrom, NamesNobody) {
  EXPECT_EQ(addresses_of(GetParam()), std::nullopt);
}

INSTANTIATE_TEST_SUITE_P(All, UnreadableFrom, testing::ValuesIn(kUnreadable));

TEST(AddressesOf, GivesUpOnMoreThanAnyMessageHas) {
  std::string many;
  for (int i = 0; i < 1000; ++i) many += "a@x.test,";
  EXPECT_EQ(addresses_of(many), std::nullopt);
}

TEST(AddressesOf, NeverFindsAnAddressThatWasCutOff) {
  const std::string all = "Team: \"a\\\"b\" (c(d)) <@e:f@[g]>, =?h?i?j?= <k@l>;";
  for (std::size_t i = 1; i < all.size(); ++i) {
    EXPECT_EQ(addresses_of(std::string_view(all).substr(0, i)), std::nullopt) << all.substr(0, i);
  }
  EXPECT_THAT(addresses_of(all), Optional(ElementsAre("f@[g]", "k@l")));
}

}  // namespace
}  // namespace mailid::delivery
