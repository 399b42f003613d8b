//! What only the signature tells of a type: without the attribute the compiler reads it there, and with it as well.
//! Each of these functions is a test that it compiles.

use std::borrow::Cow;
use std::error::Error;
use std::future::Future;

use futures_core::Stream;
use futures_util::stream::{self, BoxStream, StreamExt as _};
use serde_json::Value;
use spanwright::{agent, llm, tool};

use crate::record::{block_on, record};

type BoxError = Box<dyn Error + Send + Sync>;

#[tool]
fn future(json: &str) -> impl Future<Output = Result<Value, BoxError>> + Send {
    async move { Ok(serde_json::from_str(json)?) }
}

#[llm(model = "m")]
fn items(json: String) -> impl Stream<Item = Result<Value, BoxError>> {
    stream::iter([json]).map(|json| Ok(serde_json::from_str(&json)?))
}

#[llm(model = "m")]
async fn later(json: String) -> Result<impl Stream<Item = Result<Value, BoxError>>, BoxError> {
    let _: Value = serde_json::from_str(&json)?;
    Ok(stream::iter([json]).map(|json| Ok(serde_json::from_str(&json)?)))
}

#[llm(model = "m")]
fn future_of_items(
    json: String,
) -> impl Future<Output = Result<impl Stream<Item = Result<Value, BoxError>>, BoxError>> {
    async move {
        let _: Value = serde_json::from_str(&json)?;
        Ok(stream::iter([json]).map(|json| Ok(serde_json::from_str(&json)?)))
    }
}

#[llm(model = "m")]
async fn collected(text: &str) -> impl Stream<Item = Vec<u8>> {
    stream::iter([text]).map(|text| text.bytes().collect())
}

#[llm(model = "m")]
fn borrowed(text: &str) -> impl Stream<Item = Result<Cow<'_, str>, BoxError>> + '_ {
    stream::iter([text]).map(|text| Ok(text.parse::<u8>().map(|_| text.into())?))
}

#[agent]
fn boxed<'a, T: From<u8> + Send + 'a>(bytes: &'a [u8]) -> BoxStream<'a, Result<T, BoxError>> {
    Box::pin(stream::iter(bytes).map(|byte| Ok((*byte).into())))
}

trait Ask {
    fn ask(&self, json: &str) -> impl Future<Output = Result<Vec<u64>, BoxError>> + Send;
}

impl Ask for () {
    #[agent]
    fn ask(&self, json: &str) -> impl Future<Output = Result<Vec<u64>, BoxError>> + Send {
        let json = json.to_owned();
        async move { Ok(serde_json::from_str::<Vec<u8>>(&json)?.into_iter().map(Into::into).collect()) }
    }
}

#[test]
fn a_type_that_only_the_signature_tells_is_known_under_an_attribute() {
    let seen = record(|| {
        block_on(async {
            assert!(future("1").await.is_ok() && ().ask("[1]").await.is_ok());
            assert!(items("x".to_owned()).any(async |item| item.is_err()).await);
            assert_eq!(later("1".to_owned()).await.ok().unwrap().count().await, 1);
            assert_eq!(future_of_items("1".to_owned()).await.ok().unwrap().count().await, 1);
            assert_eq!(collected("ab").await.next().await.unwrap(), b"ab");
            assert!(borrowed("x").next().await.unwrap().is_err());
            assert_eq!(boxed::<u64>(&[7]).next().await.unwrap().unwrap(), 7);
        });
    });
    let outcomes: Vec<_> = seen.iter().map(|span| span.outcome()).collect();
    assert_eq!(outcomes, ["ok", "ok", "error", "ok", "ok", "cancelled", "error", "cancelled"]);
}
