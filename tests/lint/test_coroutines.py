import coroutines
import pytest

REFUSED = {
    "a lambda that captures by value": "auto x = co_await f([token] { return token; });",
    "a lambda that captures by reference": "co_await post(executor, [&] { done(); });",
    "a lambda that is called at once": "co_await f(a, [t]{ return 1; }());",
    "an aggregate temporary": "auto r = co_await send(Request{1, 2});",
    "an unnamed aggregate": "co_await send({.host = host, .port = 25});",
    "an initializer list": 'co_await all({"a", "b"});',
    "a brace before the co_await": "use(Pair{1, 2}, co_await next());",
    "a brace around the co_await": "auto p = Pair{1, co_await next()};",
    "several lines": "auto reply = co_await exchange(\n    stream,\n    Options{\n  .a = 1});",
    "a condition": "if (co_await is(Pair{1, 2})) { go(); }",
    "a first branch": "auto r = sending ? co_await send(next) : Fault();",
    "a second branch": "auto r = ready ? early(a, b) : co_await late();",
    "two branches": "auto r = sending ? co_await send(next) : co_await exchange(next);",
    "a capturing lambda that is a coroutine": "co_await co_spawn(e, [s]() -> awaitable<int> { co_return 1; }, use);",
}

ALLOWED = {
    "a named lambda": "auto f = [t] { return t; };\nco_await g(std::move(f));",
    "a named aggregate": "Request request{1, 2};\nco_await send(std::move(request));",
    "a block before": "if (x) {\n  y();\n}\nco_await z();",
    "a block behind a condition": "if (co_await ready()) {\n  Pair p{1, 2};\n}",
    "a loop around": "while (auto n = co_await read(buffer)) {\n  total += n;\n}",
    "co_spawn as a statement of its own": "co_spawn(e, [s]() -> awaitable<void> { co_await s->run(); }, detached);",
    "constructors with parentheses": "co_await wait(std::chrono::seconds(5));",
    "a subscript": "co_await send(hosts[i]);",
    "a comment and a string": 'co_await send("{x}");  // Type{...} [a]',
    "co_return beside it": "co_await go();\nco_return Pair{1, 2};",
    "an else block": "else { co_await go(); }",
    "a condition with an initializer": "if (auto r = co_await go(); !r) { return Pair{1}; }",
    "an attribute": "[[maybe_unused]] auto r = co_await go();",
    "the coroutine's own body": "awaitable<Result<std::string>> Client::get() {\n  co_return co_await go();\n}",
    "a condition of ?:": "auto r = co_await ready() ? first : second;",
    "a ?: before": "auto r = a ? b : c;\nco_await go(r);",
    "a digit separator": "co_await wait(10'000); Pair p{'a', 1};",
}


@pytest.mark.parametrize("name", REFUSED)
def test_refuses(name):
    assert coroutines.findings(f"void f() {{\n{REFUSED[name]}\n}}\n"), name


@pytest.mark.parametrize("name", ALLOWED)
def test_allows(name):
    assert coroutines.findings(f"void f() {{\n{ALLOWED[name]}\n}}\n") == [], name


def test_names_the_line():
    assert [found.line for found in coroutines.findings("void f() {\n  g();\n  co_await h(T{1});\n}\n")] == [3]
