//! Where the model comes from, and the two agents built on it.

use anyhow::Context;
use rig::agent::{Agent, AgentBuilder};
use rig::prelude::Model;
use rig::providers::openai::wire::Chat;
use rig::providers::openai::{OpenAI, OpenAIConfig};
use rig::rig_reqwest::ReqwestClient;

use crate::endpoint;
use crate::tools::{Calculator, FactCheck, SearchNotes};

pub(crate) struct Provider {
    client: OpenAI,
    model: String,
    pub(crate) scripted: bool,
}

impl Provider {
    pub(crate) fn model(&self) -> Model<Chat> {
        self.client.chat(&self.model)
    }
}

/// The provider that the environment names, or else the scripted endpoint on this machine.
pub(crate) async fn provider() -> anyhow::Result<Provider> {
    // reqwest brings no cryptography of its own here: ring needs neither cmake nor openssl to build.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match std::env::var("OPENAI_API_KEY") {
        Ok(key) if !key.is_empty() => real(key),
        _ => scripted(endpoint::start().await?),
    }
}

fn real(key: String) -> anyhow::Result<Provider> {
    let mut config = OpenAIConfig::new(key);
    if let Ok(url) = std::env::var("OPENAI_BASE_URL") {
        config = config.with_base_url(url);
    }
    let http = reqwest::Client::builder().build().context("no HTTPS client")?;
    let model = std::env::var("OPENAI_MODEL").unwrap_or_else(|_| "gpt-5-mini".to_owned());
    Ok(Provider { client: config.connect(ReqwestClient::from(http)), model, scripted: false })
}

pub(crate) fn scripted(base_url: String) -> anyhow::Result<Provider> {
    // A proxy of the environment must not see, or fail to find, an address on this machine.
    let http = reqwest::Client::builder().no_proxy().build().context("no HTTP client")?;
    let config = OpenAIConfig::new("no-key-needed").with_base_url(base_url);
    let model = std::env::var("OPENAI_MODEL").unwrap_or_else(|_| "scripted-1".to_owned());
    Ok(Provider { client: config.connect(ReqwestClient::from(http)), model, scripted: true })
}

pub(crate) fn researcher(provider: &Provider, record_content: bool) -> Agent {
    AgentBuilder::new(provider.model())
        .name("researcher")
        .preamble(
            "You answer short questions of fact. Search the notes first, compute with the calculator, \
             have the main claim checked by the fact checker, then answer in two or three sentences.",
        )
        .default_max_turns(8)
        .record_content_telemetry(record_content)
        .tool(SearchNotes)
        .tool(Calculator)
        .tool(FactCheck { checker: fact_checker(provider, record_content) })
        .build()
}

fn fact_checker(provider: &Provider, record_content: bool) -> Agent {
    AgentBuilder::new(provider.model())
        .name("fact_checker")
        .preamble("You check one claim. Search the notes, then say SUPPORTED or NOT SUPPORTED and why.")
        .default_max_turns(4)
        .record_content_telemetry(record_content)
        .tool(SearchNotes)
        .build()
}
