//! What the compiler says when an attribute is used wrongly: one error for each mistake, at its token, and no more. What
//! is right compiles under every lint.

#[test]
fn each_mistake_is_one_error_at_its_token() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/*.rs");
    cases.pass("tests/ui/right/*.rs");
}
