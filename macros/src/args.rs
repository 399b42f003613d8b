//! What stands in the parentheses of an attribute. Every rejection at its token, all of them at once.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Error, Expr, LitBool, LitStr, Result, Token, parenthesized};

use crate::function::Function;
use crate::kind::{Kind, Verb};

/// The arguments of one attribute.
#[derive(Default)]
pub(crate) struct Args {
    pub(crate) name: Option<LitStr>,
    pub(crate) model: Option<Expr>,
    pub(crate) verb: Option<Verb>,
    pub(crate) skip: Vec<Ident>,
    pub(crate) redact: Vec<Ident>,
    pub(crate) fields: Vec<Field>,
    ret: Option<bool>,
    err: Option<bool>,
}

impl Args {
    /// Whether what the function returns is kept.
    pub(crate) fn keeps_output(&self) -> bool {
        self.ret.unwrap_or(true)
    }

    /// Whether an error's message is kept, and not only its type.
    pub(crate) fn keeps_message(&self) -> bool {
        self.err.unwrap_or(true)
    }
}

/// One member of `fields(..)`.
pub(crate) struct Field {
    pub(crate) key: String,
    pub(crate) value: Expr,
    start: Span,
}

/// Reads the arguments and holds them against the function.
pub(crate) fn parse(kind: Kind, tokens: TokenStream, function: &Function) -> Result<Args> {
    let mut errors = Errors::default();
    let args = (|input: ParseStream<'_>| Ok(items(kind, input, &mut errors))).parse2(tokens)?;
    require_verb(kind, &args, &mut errors);
    check_arguments(&args, function, &mut errors);
    check_fields(&args, &mut errors);
    function.check(kind, &mut errors);
    errors.into_result(args)
}

fn items(kind: Kind, input: ParseStream<'_>, errors: &mut Errors) -> Args {
    let mut args = Args::default();
    while !input.is_empty() {
        if let Err(error) = item(kind, input, &mut args).and_then(|()| end_of_item(input)) {
            errors.push(error);
            skip_to_comma(input);
        }
    }
    args
}

fn item(kind: Kind, input: ParseStream<'_>, args: &mut Args) -> Result<()> {
    let word = input.call(Ident::parse_any).map_err(|error| unknown(kind, error.span(), "this"))?;
    match word.to_string().as_str() {
        "name" => once(&word, &mut args.name, || text(&word, input)),
        "model" if kind.has_model() => once(&word, &mut args.model, || assigned(&word, "model = \"gpt-4o\"", input)),
        "model" => Err(Error::new(word.span(), "`model` belongs to #[llm] and #[embedding]")),
        "skip" => names(&word, "skip(secret)", input).map(|names| args.skip.extend(names)),
        "redact" => names(&word, "redact(secret)", input).map(|names| args.redact.extend(names)),
        "fields" => fields(&word, input).map(|fields| args.fields.extend(fields)),
        "ret" => once(&word, &mut args.ret, || yes_or_no(&word, input)),
        "err" => once(&word, &mut args.err, || yes_or_no(&word, input)),
        other => match Verb::from_word(other).filter(|_| kind == Kind::Memory) {
            Some(verb) => once(&word, &mut args.verb, || Ok(verb)),
            None => Err(unknown(kind, word.span(), &format!("`{other}`"))),
        },
    }
}

fn unknown(kind: Kind, span: Span, what: &str) -> Error {
    Error::new(span, format!("#[{}] does not know {what}; it takes {}", kind.word(), kind.accepted()))
}

fn once<T>(word: &Ident, place: &mut Option<T>, read: impl FnOnce() -> Result<T>) -> Result<()> {
    let value = read()?;
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(Error::new(word.span(), format!("`{word}` says again what was said before; once is enough"))),
    }
}

fn text(word: &Ident, input: ParseStream<'_>) -> Result<LitStr> {
    let value: Expr = assigned(word, "name = \"search\"", input)?;
    match syn::parse2::<LitStr>(value.to_token_stream()) {
        Ok(text) if !text.value().trim().is_empty() => Ok(text),
        Ok(text) => Err(Error::new(text.span(), "`name` is empty: leave it out, and the function's own name is taken")),
        Err(_) => Err(Error::new_spanned(&value, "`name` is a text in quotes: write `name = \"search\"`")),
    }
}

/// Said by itself, as under `#[instrument]`, it means yes.
fn yes_or_no(word: &Ident, input: ParseStream<'_>) -> Result<bool> {
    if input.peek(syn::token::Paren) {
        let message = format!("`{word}` has no options: write `{word}`, which is the default, or `{word} = false`");
        return Err(Error::new(word.span(), message));
    }
    if !input.peek(Token![=]) {
        return Ok(true);
    }
    input.parse::<Token![=]>()?;
    let answer = input.parse::<LitBool>();
    answer.map(|yes| yes.value).map_err(|error| Error::new(error.span(), format!("`{word}` is `true` or `false`")))
}

fn assigned(word: &Ident, example: &str, input: ParseStream<'_>) -> Result<Expr> {
    if !input.peek(Token![=]) {
        return Err(Error::new(word.span(), format!("`{word}` needs a value: write `{example}`")));
    }
    input.parse::<Token![=]>()?;
    input.parse().map_err(|error| Error::new(error.span(), format!("`{word}` needs a value: write `{example}`")))
}

fn names(word: &Ident, example: &str, input: ParseStream<'_>) -> Result<Vec<Ident>> {
    let inside = parentheses(word, example, input)?;
    let names = inside.parse_terminated_with(Ident::parse_any)?;
    if names.is_empty() { Err(empty(word, example)) } else { Ok(names) }
}

fn fields(word: &Ident, input: ParseStream<'_>) -> Result<Vec<Field>> {
    let inside = parentheses(word, "fields(attempt = n)", input)?;
    let fields = inside.parse_terminated_with(field)?;
    if fields.is_empty() { Err(empty(word, "fields(attempt = n)")) } else { Ok(fields) }
}

fn field(input: ParseStream<'_>) -> Result<Field> {
    let start = input.span();
    let key = if input.peek(LitStr) { input.parse::<LitStr>()?.value() } else { dotted(input)? };
    if !input.peek(Token![=]) {
        return Err(Error::new(start, format!("the field `{key}` needs a value: write `{key} = expr`")));
    }
    input.parse::<Token![=]>()?;
    Ok(Field { key, value: input.parse()?, start })
}

fn dotted(input: ParseStream<'_>) -> Result<String> {
    let parts = Punctuated::<Ident, Token![.]>::parse_separated_nonempty_with(input, Ident::parse_any)?;
    Ok(parts.iter().map(|part| part.unraw().to_string()).collect::<Vec<_>>().join("."))
}

/// The tokens inside `( )`, so that an error in them cannot spoil what comes after.
struct Inside(TokenStream);

impl Inside {
    fn parse_terminated_with<T>(self, one: fn(ParseStream<'_>) -> Result<T>) -> Result<Vec<T>> {
        let all = |input: ParseStream<'_>| {
            Punctuated::<T, Token![,]>::parse_terminated_with(input, one).map(|all| all.into_iter().collect())
        };
        all.parse2(self.0)
    }
}

fn parentheses(word: &Ident, example: &str, input: ParseStream<'_>) -> Result<Inside> {
    if !input.peek(syn::token::Paren) {
        return Err(Error::new(word.span(), format!("`{word}` needs parentheses: write `{example}`")));
    }
    let content;
    parenthesized!(content in input);
    content.parse().map(Inside)
}

fn empty(word: &Ident, example: &str) -> Error {
    Error::new(word.span(), format!("`{word}` names nothing: write `{example}`"))
}

fn end_of_item(input: ParseStream<'_>) -> Result<()> {
    if input.is_empty() {
        return Ok(());
    }
    input.parse::<Token![,]>().map(drop).map_err(|error| Error::new(error.span(), "a comma goes between arguments"))
}

fn skip_to_comma(input: ParseStream<'_>) {
    while let Ok(token) = input.parse::<TokenTree>() {
        if matches!(&token, TokenTree::Punct(punct) if punct.as_char() == ',') {
            return;
        }
    }
}

fn require_verb(kind: Kind, args: &Args, errors: &mut Errors) {
    // An attribute that is wrong already may have meant to say it.
    if kind == Kind::Memory && args.verb.is_none() && errors.is_empty() {
        let message = "say what is done with the memory: #[memory(recall)], store, update or forget";
        errors.push(Error::new(Span::call_site(), message));
    }
}

fn check_arguments(args: &Args, function: &Function, errors: &mut Errors) {
    let mut known = function.arguments();
    for name in args.skip.iter().chain(&args.redact) {
        match known.iter().position(|argument| argument == name) {
            Some(at) => drop(known.remove(at)),
            None => errors.push(Error::new(name.span(), not_an_argument(name, function))),
        }
    }
}

fn not_an_argument(name: &Ident, function: &Function) -> String {
    match function.arguments().contains(name) {
        true => format!("`{name}` is named twice: `skip` leaves it out, `redact` shows that it was there"),
        false if name == "self" => "`self` is never kept".to_owned(),
        false => format!("{} has no argument `{name}`", function.sig.ident),
    }
}

fn check_fields(args: &Args, errors: &mut Errors) {
    for (index, field) in args.fields.iter().enumerate() {
        if args.fields[..index].iter().any(|earlier| earlier.key == field.key) {
            errors.push(Error::new(field.start, format!("the field `{}` has a value already", field.key)));
        }
    }
}

/// All that is wrong, as one error.
#[derive(Default)]
pub(crate) struct Errors(Option<Error>);

impl Errors {
    pub(crate) fn push(&mut self, error: Error) {
        match &mut self.0 {
            Some(first) => first.combine(error),
            none => *none = Some(error),
        }
    }

    fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    fn into_result<T>(self, value: T) -> Result<T> {
        self.0.map_or(Ok(value), Err)
    }
}
