//! What a return type says, by its words: a macro sees no types. A future, a stream, a `Result`, in a box or not.

use syn::{AssocType, GenericArgument, PathArguments, PathSegment, TraitBound, Type, TypeParamBound};

/// A future that is returned.
pub(crate) struct Future<'a> {
    /// `Pin<Box<dyn Future>>`, as under `async_trait`.
    pub(crate) boxed: bool,
    /// Its output, where it is written.
    pub(crate) output: Option<&'a Type>,
}

/// A stream that is returned, at once or by a future.
#[derive(Clone, Copy)]
pub(crate) struct Stream<'a> {
    /// `Pin<Box<dyn Stream>>`.
    pub(crate) boxed: bool,
    /// In a `Result`.
    pub(crate) fallible: bool,
    /// What it gives, where that is written.
    pub(crate) item: Option<&'a Type>,
}

pub(crate) fn future(output: &Type) -> Option<Future<'_>> {
    if let Some(segment) = alias(output, ["BoxFuture", "LocalBoxFuture"]) {
        return Some(Future { boxed: true, output: first_type(segment) });
    }
    let (bound, boxed) = wrapped(output, "Future")?;
    Some(Future { boxed, output: associated(bound, "Output") })
}

pub(crate) fn stream(output: &Type) -> Option<Stream<'_>> {
    // An alias of `Result` nearly always says so: `LlmResult<T>`.
    let is_result = |segment: &&PathSegment| segment.ident.to_string().ends_with("Result");
    match last_segment(output).filter(is_result).and_then(first_type) {
        Some(success) => plain_stream(success).map(|stream| Stream { fallible: true, ..stream }),
        None => plain_stream(output),
    }
}

/// Whether it may be an alias of a boxed stream, by its name: `ChatStream`, `Result<ResponseStream, E>`.
pub(crate) fn may_be_stream(output: &Type) -> bool {
    let is_result = |segment: &&PathSegment| segment.ident.to_string().ends_with("Result");
    let success = last_segment(output).filter(is_result).and_then(first_type).unwrap_or(output);
    last_segment(success).is_some_and(|segment| segment.ident.to_string().ends_with("Stream"))
}

fn plain_stream(output: &Type) -> Option<Stream<'_>> {
    if let Some(segment) = alias(output, ["BoxStream", "LocalBoxStream"]) {
        return Some(Stream { boxed: true, fallible: false, item: first_type(segment) });
    }
    let (bound, boxed) = wrapped(output, "Stream")?;
    Some(Stream { boxed, fallible: false, item: associated(bound, "Item") })
}

/// `impl Word` or `Pin<Box<dyn Word>>`: the bound that says the word, and whether it is boxed.
fn wrapped<'a>(output: &'a Type, word: &str) -> Option<(&'a TraitBound, bool)> {
    match output {
        // What else an opaque type promises, our wrapper could not keep.
        Type::ImplTrait(output) if output.bounds.iter().all(|bound| is_kept(bound, word)) => {
            Some((output.bounds.iter().find_map(|bound| says(bound, word))?, false))
        }
        Type::Path(_) => match inside("Pin", output).and_then(|boxed| inside("Box", boxed))? {
            Type::TraitObject(output) => Some((output.bounds.iter().find_map(|bound| says(bound, word))?, true)),
            _ => None,
        },
        _ => None,
    }
}

fn is_kept(bound: &TypeParamBound, word: &str) -> bool {
    match bound {
        TypeParamBound::Trait(_) => [word, "Send", "Sync", "Unpin"].iter().any(|kept| says(bound, kept).is_some()),
        _ => true,
    }
}

fn says<'a>(bound: &'a TypeParamBound, word: &str) -> Option<&'a TraitBound> {
    match bound {
        TypeParamBound::Trait(bound) if bound.path.segments.last().is_some_and(|last| last.ident == word) => {
            Some(bound)
        }
        _ => None,
    }
}

/// The aliases that the `futures` crate made common.
fn alias<'a>(kind: &'a Type, words: [&str; 2]) -> Option<&'a PathSegment> {
    last_segment(kind).filter(|segment| words.iter().any(|word| segment.ident == word))
}

fn last_segment(kind: &Type) -> Option<&PathSegment> {
    match kind {
        Type::Path(path) => path.path.segments.last(),
        _ => None,
    }
}

/// The `T` of `Trait<Word = T>`.
fn associated<'a>(bound: &'a TraitBound, word: &str) -> Option<&'a Type> {
    let arguments = bound.path.segments.last().into_iter().flat_map(generics);
    arguments.into_iter().find_map(|argument| match argument {
        GenericArgument::AssocType(AssocType { ident, ty, .. }) if ident == word => Some(ty),
        _ => None,
    })
}

/// The `T` of `Word<T>`.
fn inside<'a>(word: &str, kind: &'a Type) -> Option<&'a Type> {
    last_segment(kind).filter(|segment| segment.ident == word).and_then(first_type)
}

fn first_type(segment: &PathSegment) -> Option<&Type> {
    generics(segment).into_iter().find_map(|argument| match argument {
        GenericArgument::Type(kind) => Some(kind),
        _ => None,
    })
}

fn generics(segment: &PathSegment) -> Vec<&GenericArgument> {
    match &segment.arguments {
        PathArguments::AngleBracketed(arguments) => arguments.args.iter().collect(),
        _ => Vec::new(),
    }
}
