//! How the body of a function is run in its span, and what is read of what it gives.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::Type;

use crate::expand::{Expansion, private, span};
use crate::function::{Shape, without_opaque};
use crate::kind::{Kind, Verb};
use crate::output::Stream;

/// The body of one function.
pub(crate) struct Body<'a> {
    of: &'a Expansion,
    shape: Shape,
}

impl<'a> Body<'a> {
    pub(crate) fn new(of: &'a Expansion) -> Self {
        Self { of, shape: of.function.shape() }
    }

    pub(crate) fn tokens(&self) -> TokenStream {
        match self.of.function.stream() {
            Some(stream) => self.streaming(self.read_opening(stream), self.told(stream)),
            None if self.of.function.may_give_stream() => self.streaming(self.read_output(), self.told_if_stream()),
            None => self.finishing(),
        }
    }

    // -- a value ---------------------------------------------------------------------------------------------------

    /// The span ends with what the function gives.
    fn finishing(&self) -> TokenStream {
        let (private, span, read) = (private(), span(), self.read_output());
        let (body, future, given) = (self.made(), future(), named(self.of.function.given_output()));
        match self.shape {
            Shape::Sync => quote!(#private::call(#span, #body).read(#read)),
            Shape::Async => quote!(#private::run(#span, #body).read(#read).await),
            Shape::Future => quote! {
                let #future = #private::make(&#span, #body);
                #private::run::<#given, _>(#span, #future).read(#read)
            },
            Shape::BoxedFuture => quote! {
                let #future = #private::make(&#span, #body);
                ::std::boxed::Box::pin(#private::run::<#given, _>(#span, #future).read(#read))
            },
        }
    }

    // -- a stream --------------------------------------------------------------------------------------------------

    /// The function's own end is only told where it failed; else the span ends with the stream, which holds it as well.
    fn streaming(&self, read: TokenStream, rest: TokenStream) -> TokenStream {
        let (private, span, body) = (private(), span(), self.made());
        let (made, future) = (output(), future());
        let given = named(self.of.function.given_output());
        let awaited = |future: TokenStream| {
            quote! {
                let #made = #private::run::<#given, _>(#span.clone(), #future).read(#read).await;
                #rest
            }
        };
        let typed = self.typed(self.of.function.given_output());
        let block = || {
            let awaited = awaited(quote!(#future));
            quote!(async move { #typed #awaited })
        };
        match self.shape {
            Shape::Sync => quote! {
                let #made = #private::call(#span.clone(), #body).read(#read);
                #rest
            },
            Shape::Async => awaited(body),
            Shape::Future => {
                let block = block();
                quote!(let #future = #private::make(&#span, #body); #block)
            }
            Shape::BoxedFuture => {
                let block = block();
                quote!(let #future = #private::make(&#span, #body); ::std::boxed::Box::pin(#block))
            }
        }
    }

    /// The stream that the function made, in its span.
    fn told(&self, Stream { boxed, fallible, item }: Stream<'_>) -> TokenStream {
        let (private, span, made, read) = (private(), span(), output(), self.read_item());
        let item = named(item.cloned().map(without_opaque));
        let told = quote!(#private::stream::<#item, _>(#span, #made).read(#read));
        let told = if boxed { quote!(::std::boxed::Box::pin(#told)) } else { told };
        match fallible {
            true => quote! {
                match #made {
                    ::core::result::Result::Ok(#made) => ::core::result::Result::Ok(#told),
                    ::core::result::Result::Err(#made) => ::core::result::Result::Err(#made),
                }
            },
            false => told,
        }
    }

    /// The same of what may be a stream: the type of the value decides.
    fn told_if_stream(&self) -> TokenStream {
        let (private, span, made, read) = (private(), span(), output(), self.read_item());
        quote!({ use #private::ask::*; (&&#private::Made::new(#made)).told(#span, #read) })
    }

    // -- the body --------------------------------------------------------------------------------------------------

    /// The body as a closure or, of an async function, as a future.
    fn made(&self) -> TokenStream {
        let statements = self.statements();
        if self.shape == Shape::Async {
            let typed = self.typed(self.of.function.output());
            return quote!(async move { #typed #statements });
        }
        let output = self.of.function.output().map(|output| quote!(-> #output));
        quote!(move || #output { #statements })
    }

    /// The user's statements, after a mention of every argument in reverse. That moves all of them in, used or not, and in
    /// the order in which a function drops them: captured variables are dropped as they were first mentioned.
    fn statements(&self) -> TokenStream {
        let function = &self.of.function;
        let mut arguments = function.arguments();
        arguments.reverse();
        let owned_self = function.owned_self().map(|receiver| receiver.self_token).into_iter();
        let statements = function.body.stream();
        quote!(#(let _ = &#arguments;)* #(let _ = &#owned_self;)* #statements)
    }

    /// An async block has no place for its type; a `return` that is never reached tells it.
    fn typed(&self, output: Option<Type>) -> TokenStream {
        let private = private();
        match output {
            Some(Type::Never(_)) => TokenStream::new(),
            Some(output) => quote!(if false { return #private::never::<#output>(); }),
            None => quote!(if false { return #private::never::<()>(); }),
        }
    }

    // -- what is read ----------------------------------------------------------------------------------------------

    /// What is told to the span when the work is done.
    fn read_output(&self) -> TokenStream {
        if self.of.function.returns_nothing() {
            return quote!(|_, _| {});
        }
        let (private, span, output) = (private(), span(), output());
        let (keep, facts, end) = (self.keep_output(), self.facts(), self.end());
        quote!(|#span, #output| { use #private::ask::*; #keep #facts #end })
    }

    /// What is told when the stream is there, or is not.
    fn read_opening(&self, stream: Stream<'_>) -> TokenStream {
        if !stream.fallible {
            return quote!(|_, _| {});
        }
        let (private, span, output, end) = (private(), span(), output(), self.end());
        quote!(|#span, #output| { use #private::ask::*; #end })
    }

    /// What is told of each item.
    fn read_item(&self) -> TokenStream {
        let (private, span, item, end) = (private(), span(), output(), self.end());
        let reader = Ident::new("__spanwright_reader", Span::mixed_site());
        let tell = match self.of.args.keeps_output() {
            true => quote!((&&&&&&#private::Out(#item)).tell(#reader, #span);),
            false => quote!(let _ = #reader;),
        };
        quote!(|#reader, #span, #item| { use #private::ask::*; #tell #end })
    }

    fn keep_output(&self) -> TokenStream {
        let (private, span, output) = (private(), span(), output());
        let verb = if self.of.kind == Kind::Tool { quote!(result) } else { quote!(output) };
        match self.of.args.keeps_output() {
            true => quote!(#private::#verb(#span, (&&&&&&#private::Out(#output)).json());),
            false => TokenStream::new(),
        }
    }

    /// What some kinds are told beyond the output as it stands.
    fn facts(&self) -> TokenStream {
        let (private, span, output) = (private(), span(), output());
        match (self.of.kind, self.of.args.verb) {
            (Kind::Guardrail, _) => quote!(#private::verdict(#span, (&&&#private::Out(#output)).verdict());),
            (Kind::Evaluator, _) => quote!(#private::score(#span, (&&&#private::Out(#output)).score());),
            (_, Some(Verb::Recall)) => quote!(#private::records(#span, (&&&&#private::Out(#output)).count());),
            _ => TokenStream::new(),
        }
    }

    fn end(&self) -> TokenStream {
        let (private, span, output) = (private(), span(), output());
        let end = if self.of.args.keeps_message() { quote!(end) } else { quote!(end_without_message) };
        quote!(#private::#end(#span, (&&&&&&#private::Out(#output)).failure());)
    }
}

/// A type as an argument of a generic function; `_` where the compiler has to find it.
fn named(output: Option<Type>) -> TokenStream {
    match output {
        None | Some(Type::Never(_)) => quote!(_),
        Some(output) => quote!(#output),
    }
}

fn output() -> Ident {
    Ident::new("__spanwright_output", Span::mixed_site())
}

fn future() -> Ident {
    Ident::new("__spanwright_future", Span::mixed_site())
}
