//! What is asked and answered once: executions, pages of the record, health, numbers.

use super::{
    Client,
    trouble::{Trouble, wanted},
};
use crate::{Cursor, Error, ExecutionId, event::ExecutionEvent, log::ExecutionRow};
use reqwest::{RequestBuilder, header};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, value::RawValue};

/// A page of the record is 4 MiB at most, and no list is longer.
const MAX_ANSWER_BYTES: usize = 64 << 20;

/// Part of the record of an execution, in order.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct EventPage {
    /// The events.
    pub events: Vec<ExecutionEvent>,
    /// Where the next page begins, or a stream.
    pub cursor: Cursor,
    /// False while there is more to be had.
    pub complete: bool,
    /// Events of this page that could not be read: by the server, or here as they are of a later version.
    pub unreadable: usize,
}

#[derive(Deserialize)]
struct List {
    executions: Vec<ExecutionRow>,
}

#[derive(Deserialize)]
struct Page {
    events: Vec<Box<RawValue>>,
    cursor: Cursor,
    complete: bool,
    #[serde(default)]
    unreadable: usize,
}

#[derive(Deserialize)]
struct Ticket {
    ticket: String,
}

impl Client {
    /// The executions of the record, the newest first; `limit` is 1 to 1,000.
    ///
    /// # Errors
    /// As all calls: `is_denied` when the server does not let this client in, `is_invalid` when it cannot be asked so,
    /// `is_io` and `is_timed_out` when it gave no answer, `is_corrupt` when the answer cannot be read.
    pub async fn executions(&self, limit: usize) -> Result<Vec<ExecutionRow>, Error> {
        let list: List = self.ask(&["executions"], &[("limit", limit.to_string())]).await?;
        Ok(list.executions)
    }

    /// What the record says of one execution.
    ///
    /// # Errors
    /// As [`executions`](Client::executions); `is_not_found` when it has none of this id.
    pub async fn execution_row(&self, id: &ExecutionId) -> Result<ExecutionRow, Error> {
        self.ask(&["executions", &id.to_string()], &[]).await
    }

    /// A page of the record of one execution: up to `limit` events (1 to 1,000) after a cursor, or from the first.
    ///
    /// # Errors
    /// As [`execution_row`](Client::execution_row); `is_not_found` also when the cursor is not of this record.
    pub async fn event_page(&self, id: &ExecutionId, after: Option<Cursor>, limit: usize) -> Result<EventPage, Error> {
        let mut query = vec![("limit", limit.to_string())];
        query.extend(after.map(|cursor| ("after", cursor.to_string())));
        let page: Page = self.ask(&["executions", &id.to_string(), "events"], &query).await?;
        let read = page.events.iter().filter_map(|event| serde_json::from_str(event.get()).ok());
        let events: Vec<ExecutionEvent> = read.collect();
        let unreadable = page.unreadable + page.events.len() - events.len();
        Ok(EventPage { events, cursor: page.cursor, complete: page.complete, unreadable })
    }

    /// What the server says of its health. An answer is a good one.
    ///
    /// # Errors
    /// As [`executions`](Client::executions); `is_io` with the server's reason when it is not well.
    pub async fn health(&self) -> Result<Value, Error> {
        self.ask(&["health"], &[]).await
    }

    /// The server's numbers.
    ///
    /// # Errors
    /// As [`executions`](Client::executions).
    pub async fn stats(&self) -> Result<Value, Error> {
        self.ask(&["stats"], &[]).await
    }

    /// One ticket for one stream.
    pub(super) async fn ticket(&self) -> Result<String, Trouble> {
        let what = "POST /tickets";
        let url = self.base().route(&["tickets"]).map_err(Trouble::fatal)?;
        let body = self.answer(what, self.http().post(url)).await?;
        let ticket: Ticket = read(what, &body).map_err(Trouble::fatal)?;
        Ok(ticket.ticket)
    }

    async fn ask<T: DeserializeOwned>(&self, route: &[&str], query: &[(&str, String)]) -> Result<T, Error> {
        let what = format!("GET /{}", route.join("/"));
        let mut url = self.base().route(route)?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let body = self.answer(&what, self.http().get(url)).await.map_err(|trouble| trouble.error)?;
        read(&what, &body)
    }

    async fn answer(&self, what: &str, request: RequestBuilder) -> Result<Vec<u8>, Trouble> {
        if tokio::runtime::Handle::try_current().is_err() {
            return Err(Trouble::fatal(Error::config("a client needs a tokio runtime with I/O and time enabled")));
        }
        let limit = self.settings().answer;
        match tokio::time::timeout(limit, self.whole_answer(what, request)).await {
            Ok(answer) => answer,
            Err(_) => Err(Trouble::passing(Error::timed_out(format!("{what}: no whole answer within {limit:?}")))),
        }
    }

    async fn whole_answer(&self, what: &str, mut request: RequestBuilder) -> Result<Vec<u8>, Trouble> {
        if let Some(bearer) = self.auth().bearer() {
            request = request.header(header::AUTHORIZATION, bearer.clone());
        }
        let sent = request.header(header::ACCEPT, "application/json").send().await;
        let mut response = wanted(what, sent.map_err(|error| Trouble::of_line(what, error))?).await?;
        let mut body = Vec::new();
        while let Some(bytes) = response.chunk().await.map_err(|error| Trouble::of_line(what, error))? {
            if body.len() + bytes.len() > MAX_ANSWER_BYTES {
                let most = MAX_ANSWER_BYTES;
                return Err(Trouble::fatal(Error::invalid(format!("{what}: an answer of up to {most} bytes is read"))));
            }
            body.extend_from_slice(&bytes);
        }
        Ok(body)
    }
}

fn read<T: DeserializeOwned>(what: &str, body: &[u8]) -> Result<T, Error> {
    // What serde says of the text names a place and no content; a ticket is not shown.
    serde_json::from_slice(body).map_err(|source| {
        Error::corrupt(format!("{what}: the answer is not what this version reads")).with_source(source)
    })
}
