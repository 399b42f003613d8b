//! OTLP/HTTP: a request is a POST, its answer's status says what came of it.

use super::{
    super::settings::{Encoding, Way},
    Reply, Signal, Transport,
    answer::Answer,
    caller::{Caller, Version, gzipped},
    reply::{self, Meaning},
};
use crate::Error;
use reqwest::{
    Url,
    header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION, RETRY_AFTER},
};
use std::time::SystemTime;

/// Requests to one URL.
pub(super) struct Http {
    caller: Caller,
    signal: Signal,
    gzip: bool,
}

impl Http {
    pub(super) fn open(way: &Way, signal: Signal) -> Result<Self, Error> {
        let content = match way.encoding {
            Encoding::Protobuf => "application/x-protobuf",
            Encoding::Json => "application/json",
        };
        let mut fixed = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(content))]);
        if way.gzip {
            fixed.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        Ok(Self { caller: Caller::open(way, signal, Version::Http1, &fixed)?, signal, gzip: way.gzip })
    }

    fn reply(&self, answer: &Answer) -> Reply {
        let mask = &self.caller.mask;
        match Meaning::of_http(answer.status) {
            Meaning::Accepted => answer.accepted(mask),
            Meaning::Refused if (300..400).contains(&answer.status) => Reply::Refused(self.redirected(answer)),
            meaning => {
                let wait = answer.header(RETRY_AFTER.as_str());
                let after = wait.and_then(|value| reply::retry_after(value, SystemTime::now()));
                meaning.reply(answer.sentence(mask), after)
            }
        }
    }

    /// Of where it points only the host is told: there may be a secret in the rest.
    fn redirected(&self, answer: &Answer) -> String {
        let target = answer.header(LOCATION.as_str()).and_then(|location| self.caller.url().join(location).ok());
        let host = target.as_ref().and_then(Url::host_str).unwrap_or("nowhere");
        let status = answer.status;
        let sentence = format!(
            "status {status}: it points to {host}, where nothing is sent; give the address at which it really is"
        );
        self.caller.mask.clean(sentence.as_bytes())
    }
}

impl Transport for Http {
    fn send(&mut self, signal: Signal, body: &[u8]) -> Reply {
        debug_assert_eq!(signal, self.signal, "a transport is for one signal");
        let body = if self.gzip { gzipped(body) } else { body.to_vec() };
        match self.caller.post(body) {
            Ok(answer) => self.reply(&answer),
            // "If the client disconnects … or the server disconnects without returning a response, the client SHOULD
            // retry"; a connection that cannot be had is the same.
            Err(why) => Reply::Retry { after: None, why },
        }
    }
}
