//! What stands under an attribute: a function whose body is left as it is.

use proc_macro2::{Group, Ident, TokenStream};
use quote::ToTokens;
use syn::parse::{Parse, ParseStream};
use syn::visit::{self, Visit};
use syn::visit_mut::{self, VisitMut};
use syn::{Attribute, Error, FnArg, PatIdent, Receiver, Result, ReturnType, Signature, Token, Type, Visibility};

use crate::args::Errors;
use crate::kind::Kind;
use crate::output::{self, Stream};

/// A function or a method. The body is not parsed: that is the compiler's work, and its errors are better.
pub(crate) struct Function {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    pub(crate) sig: Signature,
    pub(crate) body: Group,
}

/// How a function is run, which decides how it is wrapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Async,
    /// Returns `Pin<Box<dyn Future>>`, as under `async_trait`.
    BoxedFuture,
    /// Returns `impl Future`.
    Future,
    Sync,
}

impl Parse for Function {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        let visibility = input.parse()?;
        if !starts_a_function(input) {
            return Err(input.error("this attribute goes on a function or a method"));
        }
        let sig: Signature = input.parse()?;
        if input.peek(Token![;]) {
            return Err(input.error("a declaration has no body to trace: put the attribute on the implementation"));
        }
        Ok(Self { attributes, visibility, sig, body: input.parse()? })
    }
}

fn starts_a_function(input: ParseStream<'_>) -> bool {
    let fork = input.fork();
    fork.parse::<Signature>().is_ok() || input.peek(Token![fn]) || input.peek(Token![async])
}

impl Function {
    /// The names that the arguments bind, in order; `self` is not one of them.
    pub(crate) fn arguments(&self) -> Vec<Ident> {
        let mut names = Names(Vec::new());
        for input in &self.sig.inputs {
            // An argument under a `cfg` may not be there, and only the compiler knows.
            if let FnArg::Typed(argument) = input
                && !argument.attrs.iter().any(|attribute| attribute.path().is_ident("cfg"))
            {
                names.visit_pat(&argument.pat);
            }
        }
        names.0
    }

    /// `self` where it is not a reference.
    pub(crate) fn owned_self(&self) -> Option<&Receiver> {
        self.sig.receiver().filter(|receiver| receiver.reference.is_none())
    }

    pub(crate) fn shape(&self) -> Shape {
        match self.written().and_then(output::future) {
            _ if self.sig.asyncness.is_some() => Shape::Async,
            Some(future) if future.boxed => Shape::BoxedFuture,
            Some(_) => Shape::Future,
            None => Shape::Sync,
        }
    }

    /// The stream that the function gives in the end, if it does.
    pub(crate) fn stream(&self) -> Option<Stream<'_>> {
        self.given().and_then(output::stream)
    }

    /// Whether what the function gives may be a boxed stream under another name.
    pub(crate) fn may_give_stream(&self) -> bool {
        self.given().is_some_and(output::may_be_stream)
    }

    /// The type of what the function gives in the end: where it returns a future, the output of that.
    fn given(&self) -> Option<&Type> {
        let written = self.written()?;
        match output::future(written) {
            Some(future) if self.sig.asyncness.is_none() => future.output,
            _ => Some(written),
        }
    }

    fn written(&self) -> Option<&Type> {
        match &self.sig.output {
            ReturnType::Type(_, output) => Some(output),
            ReturnType::Default => None,
        }
    }

    /// The return type, with `_` where an `impl Trait` cannot be written.
    pub(crate) fn output(&self) -> Option<Type> {
        self.written().cloned().map(without_opaque)
    }

    /// The same of what the function gives in the end.
    pub(crate) fn given_output(&self) -> Option<Type> {
        self.given().cloned().map(without_opaque)
    }

    /// Whether there is no value to look at.
    pub(crate) fn returns_nothing(&self) -> bool {
        match self.written() {
            None | Some(Type::Never(_)) => true,
            Some(Type::Tuple(output)) => output.elems.is_empty(),
            Some(_) => false,
        }
    }

    pub(crate) fn check(&self, kind: Kind, errors: &mut Errors) {
        if let Some(token) = &self.sig.constness {
            let message = format!("a const fn may run in the compiler, where #[{}] cannot see it", kind.word());
            errors.push(Error::new_spanned(token, message));
        }
    }
}

impl ToTokens for Function {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        for attribute in &self.attributes {
            attribute.to_tokens(tokens);
        }
        self.visibility.to_tokens(tokens);
        self.sig.to_tokens(tokens);
        self.body.to_tokens(tokens);
    }
}

/// A type, with `_` where an `impl Trait` cannot be written.
pub(crate) fn without_opaque(mut output: Type) -> Type {
    Opaque.visit_type_mut(&mut output);
    output
}

struct Opaque;

impl VisitMut for Opaque {
    fn visit_type_mut(&mut self, kind: &mut Type) {
        match kind {
            Type::ImplTrait(_) => *kind = syn::parse_quote!(_),
            _ => visit_mut::visit_type_mut(self, kind),
        }
    }
}

struct Names(Vec<Ident>);

impl<'ast> Visit<'ast> for Names {
    fn visit_pat_ident(&mut self, pattern: &'ast PatIdent) {
        self.0.push(pattern.ident.clone());
        visit::visit_pat_ident(self, pattern);
    }
}
