//! What calls cost: whose price is found, and what it comes to. The numbers are those of people who were shown others.

use proptest::prelude::*;
use spanwright::{Timestamp, event::TokenUsage, ledger::Prices};

/// USD per million tokens of input that this name is priced at, by this provider.
fn input_price(model: &str, provider: Option<&str>) -> Option<f64> {
    let mut usage = TokenUsage::new(100_000, 0, 100_000, 0).model(model);
    usage.provider = provider.map(Into::into);
    Prices::builtin().cost_usd(&usage, None).map(|cost| (cost * 1e10).round() / 1e9)
}

fn cost(usage: &TokenUsage) -> f64 {
    Prices::builtin().cost_usd(usage, None).expect("a price")
}

fn usage(model: &str, input: u64, output: u64) -> TokenUsage {
    TokenUsage::new(input, output, input + output, 0).model(model)
}

/// To a millionth of a dollar.
#[track_caller]
fn assert_cost(usage: &TokenUsage, expected: f64) {
    let cost = cost(usage);
    assert!((cost - expected).abs() < 5e-7, "{cost} is not {expected}");
}

#[test]
fn the_table_is_read_whole_and_every_row_says_where_it_comes_from() {
    let prices = Prices::builtin();
    assert!(prices.iter().count() > 120, "{} rows", prices.iter().count());
    for row in prices.iter() {
        let source = row.source.as_deref().unwrap_or_default();
        assert!(source.starts_with("https://"), "{row:?}");
        let checked = row.checked.as_deref().unwrap_or_default();
        assert!(format!("{checked}T00:00:00Z").parse::<Timestamp>().is_ok(), "{row:?}");
        assert!(!row.providers.is_empty(), "{row:?}");
        let found = prices.find(&row.model, Some(&row.providers[0]), None).expect("itself");
        assert_eq!(found.model, row.model);
    }
}

#[test]
fn cached_tokens_are_not_charged_at_the_full_price() {
    // Agenta-AI/agenta#5711: 0.039084 was shown, 6.6 times too much.
    let call = usage("gemini-3.5-flash", 25_978, 13);
    assert_cost(&call, 0.039084);
    assert_cost(&call.cached_tokens(24_540), 0.005955);
    // Its fix, #5965, on another model: 0.007793 for the prompt instead of 0.001168.
    let prompt = usage("gemini-2.5-flash", 25_978, 0);
    assert_cost(&prompt, 0.007793);
    assert_cost(&prompt.cached_tokens(24_540), 0.001168);
    // earendil-works/pi#2148: 0.0137 with the cached tokens charged twice, 0.0056 in truth.
    assert_cost(&usage("gemini-3-flash-preview", 20_212, 931).cached_tokens(16_298), 0.005565);
    // CherryHQ/stella#1071 was shown 1.8252 for this one.
    assert_cost(&usage("gpt-5", 1_270_492, 8_679).cached_tokens(1_202_176), 0.322457);
}

#[test]
fn reasoning_is_part_of_the_output_and_charged_once() {
    // pydantic/logfire#1316: 538 + 2,208 cached, 133 + 64 of reasoning.
    assert_cost(&usage("gpt-5-mini", 538 + 2_208, 133 + 64).cached_tokens(2_208).reasoning_tokens(64), 0.000584);
}

#[test]
fn tokens_written_to_a_cache_are_charged_once_at_their_own_price() {
    // getsentry/relay#6090: 82.5 for 100 tokens, 20 of them cached and 30 written; 112.5 was charged.
    let table = r#"[{"models":[{"model":"m","usd":{"input":1,"cached_input":0.5,"cache_write":0.75}}]}]"#;
    let prices = Prices::from_json(table).expect("table");
    let call = usage("m", 100_000_000, 0).cached_tokens(20_000_000).cache_creation_tokens(30_000_000);
    assert_eq!(prices.cost_usd(&call, None), Some(82.5));
    // microsoft/conductor#427: three turns, of which 2 tokens each were new, billed eleven times too high.
    let turns = [(18_973, 0, 18_971), (19_073, 18_971, 100), (19_173, 19_071, 100)];
    let turn = |(input, cached, written)| {
        cost(&usage("claude-sonnet-5", input, 0).cached_tokens(cached).cache_creation_tokens(written))
    };
    let sum: f64 = turns.map(turn).iter().sum();
    assert!((sum - 0.055_547_9).abs() < 1e-6, "{sum}");
    // An hour costs more than five minutes.
    let hour = usage("claude-sonnet-4-5", 1_000, 0).cache_creation_tokens(1_000).cache_creation_1h_tokens(1_000);
    assert_cost(&hour, 0.006);
}

#[test]
fn a_cache_heavy_session_of_an_agent_costs_a_third_of_what_a_flat_sum_says() {
    // Arize-ai/coding-harness-tracing#66 gives no counts, only "3 to 4 times": a session that is nine tenths cache.
    let flat = usage("claude-sonnet-4-5", 190_000, 2_500);
    let real = usage("claude-sonnet-4-5", 190_000, 2_500).cached_tokens(165_000).cache_creation_tokens(9_000);
    let ratio = cost(&flat) / cost(&real);
    assert!((3.0..=4.0).contains(&ratio), "{ratio}");
}

#[test]
fn parts_that_were_counted_beside_their_whole_are_added_to_it() {
    // Agenta-AI/agenta#5540: 93 new and 13,463 cached tokens told apart. 0.000855 was shown.
    assert_cost(&usage("gpt-5.5", 93, 13).cached_tokens(13_463), 0.007587);
    // langchain-ai/langsmith-sdk#2519: the 19 new ones came out as free.
    assert_cost(&usage("claude-sonnet-4-5", 19, 0).cached_tokens(39_000), 0.011757);
    // Gemini tells reasoning beside the answer.
    assert_cost(&usage("gemini-2.5-flash", 0, 10).reasoning_tokens(90), 0.000250);
}

#[test]
fn a_long_prompt_moves_the_whole_call_to_the_higher_price() {
    assert_cost(&usage("gemini-2.5-pro", 200_000, 1_000), 0.26);
    assert_cost(&usage("gemini-2.5-pro", 200_001, 1_000), 0.515_002_5);
    // Input is what was sent, from the cache or not.
    let cached = usage("claude-sonnet-4-5", 250_000, 0).cached_tokens(250_000);
    assert_cost(&cached, 0.15);
}

#[test]
fn audio_has_its_own_price_where_the_list_has_one() {
    let call = usage("gpt-audio", 1_000, 1_000).audio_input_tokens(400).audio_output_tokens(900);
    assert_cost(&call, 0.0015 + 0.0128 + 0.001 + 0.0576);
    assert_cost(&usage("gpt-4o", 1_000, 0).audio_input_tokens(400), 0.0025);
}

#[test]
fn an_unknown_model_has_no_price_rather_than_a_price_of_nothing() {
    for name in [
        "",
        "home-made",
        "gpt",
        "gpt-4o-mega",
        "gpt-4o-mini-search-preview",
        "gpt-5.7",
        "gpt-5.1-mega",
        "claude-opus-5-5",
        "claude-sonnet-6",
        "gpt-5-mini:free",
        "o3-mini-high",
        "grok-4.20-0309",
        "mistral-large-2601",
        "gpt-4-1106-preview",
        "gpt-4o-",
        "gpt-4o-x2024-05-13",
        "xgpt-4o",
    ] {
        assert_eq!(input_price(name, None), None, "{name:?}");
    }
    assert_eq!(Prices::builtin().cost_usd(&TokenUsage::new(1, 1, 2, 0), None), None, "no model at all");
    // Nor has a call that used what the list does not sell.
    assert_eq!(Prices::builtin().cost_usd(&usage("text-embedding-3-small", 10, 10), None), None);
}

#[test]
fn a_name_is_found_however_it_is_qualified_and_dated() {
    for (name, price) in [
        ("gpt-4o", 2.5),
        ("GPT-4o", 2.5),
        ("openai/gpt-4o", 2.5),
        ("openrouter/openai/gpt-4o", 2.5),
        ("gpt-4o-2024-11-20", 2.5),
        ("gpt-4o-2024-05-13", 5.0),
        ("gpt-4o-mini", 0.15),
        ("gpt-4o-mini-2024-07-18", 0.15),
        ("gpt-4.1-nano-2025-04-14", 0.1),
        ("gpt-5-1", 1.25),
        ("chatgpt-4o-latest", 5.0),
        ("o3-2025-04-16", 2.0),
        ("claude-sonnet-4-20250514", 3.0),
        ("claude-sonnet-4@20250514", 3.0),
        ("claude-3.5-haiku", 0.8),
        ("anthropic/claude-opus-4.5", 5.0),
        ("claude-3-5-sonnet-v2@20241022", 3.0),
        ("us.anthropic.claude-sonnet-4-20250514-v1:0", 3.0),
        ("anthropic.claude-3-5-sonnet-20241022-v2:0", 3.0),
        ("arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-haiku-20240307-v1:0", 0.25),
        // In a region Bedrock takes a tenth more than anywhere in the world.
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", 3.3),
        ("global.anthropic.claude-sonnet-4-5-20250929-v1:0", 3.0),
        ("eu.amazon.nova-pro-v1:0", 0.8),
        ("models/gemini-2.0-flash-001", 0.1),
        ("publishers/google/models/gemini-2.5-flash", 0.3),
        ("projects/p1/locations/us-central1/publishers/google/models/gemini-2.5-flash-lite", 0.1),
    ] {
        let found = input_price(name, None);
        assert!(found.is_some_and(|found| (found - price).abs() < 1e-9), "{name}: {found:?}");
    }
}

#[test]
fn a_model_has_the_price_of_who_serves_it_or_none() {
    assert_eq!(input_price("gpt-4o", Some("azure.ai.openai")), Some(2.5));
    assert_eq!(input_price("claude-sonnet-4-5", Some("AWS Bedrock")), Some(3.0));
    assert_eq!(input_price("us.anthropic.claude-sonnet-4-5-20250929-v1:0", Some("aws.bedrock")), Some(3.3));
    assert_eq!(input_price("gemini-2.0-flash", Some("gcp.vertex_ai")), Some(0.1));
    // Others host the same weights at prices of their own.
    assert_eq!(input_price("deepseek-v4-pro", Some("deepseek")), Some(0.435));
    assert_eq!(input_price("deepseek-v4-pro", Some("together")), None);
    assert_eq!(input_price("fireworks_ai/accounts/fireworks/models/deepseek-v4-pro", None), None);
    // An OpenAI client talks to anybody's servers: a qualified name says more than the client.
    assert_eq!(input_price("anthropic/claude-haiku-4.5", Some("openai")), Some(1.0));
    assert_eq!(input_price("deepseek-v4-pro", Some("openai")), None);
}

#[test]
fn a_call_is_priced_as_of_its_own_time() {
    let price = |time: &str| {
        let time = Some(time.parse().expect("time"));
        Prices::builtin().cost_usd(&usage("gpt-5.6-luna", 1_000, 0), time)
    };
    assert_eq!(price("2026-07-29T23:59:59Z"), Some(0.001));
    assert_eq!(price("2026-07-30T00:00:00Z"), Some(0.0002));
    assert_eq!(Prices::builtin().cost_usd(&usage("gpt-5.6-luna", 1_000, 0), None), Some(0.0002), "now");
}

#[test]
fn a_users_table_stands_over_ours_and_leaves_the_rest() {
    let table = r#"[{ "providers": ["azure.ai.openai"], "models": [
        { "model": "gpt-4o", "usd": { "input": 1 } },
        { "model": "our-*", "usd": { "input": 7 } },
        { "model": "gpt-5.6-luna", "usd": { "input": 9 } }
    ]}]"#;
    let prices = Prices::builtin().with(&Prices::from_json(table).expect("table"));
    let price = |model: &str, provider: &str| {
        prices.cost_usd(&usage(model, 1_000_000, 0).provider(provider), None).map(|cost| cost.round())
    };
    assert_eq!(price("gpt-4o-2024-11-20", "azure.ai.openai"), Some(1.0));
    assert_eq!(price("gpt-4o", "openai"), Some(3.0), "2.5, as before");
    assert_eq!(price("gpt-4o-2024-05-13", "azure.ai.openai"), Some(5.0), "the longer row is ours");
    assert_eq!(price("our-model-7b", "azure.ai.openai"), Some(7.0));
    assert_eq!(price("gpt-5.6-luna", "azure.ai.openai"), Some(9.0), "also where ours has a later date");
    assert_eq!(Prices::none().cost_usd(&usage("gpt-4o", 1, 1), None), None);
}

#[test]
fn a_table_that_is_wrong_is_told_where() {
    for (text, told) in [
        ("{}", "not a price list"),
        (r#"[{"models":[{"model":"m","usd":{"inptu":1}}]}]"#, "inptu"),
        (r#"[{"models":[{"model":"m","usd":{"input":-1}}]}]"#, "the price of \"m\" is -1"),
        (r#"[{"models":[{"model":"m","usd":{"input":1e9}}]}]"#, "the price of \"m\""),
        (r#"[{"models":[{"model":"m","since":"soon","usd":{}}]}]"#, "\"soon\""),
        (r#"[{"models":[{"model":" ","usd":{}}]}]"#, "empty model"),
    ] {
        let error = Prices::from_json(text).expect_err(text);
        assert!(error.is_config() && error.to_string().contains(told), "{text}: {error}");
    }
    let error = Prices::from_file("no/such/prices.json").expect_err("no file");
    assert!(error.is_io() && error.to_string().contains("no/such/prices.json"), "{error}");
    let scratch = crate::scratch::Scratch::new();
    let file = scratch.file("prices.json");
    std::fs::write(&file, "[]").expect("write");
    assert_eq!(Prices::from_file(&file).expect("empty"), Prices::none());
}

proptest! {
    #[test]
    fn no_name_and_no_count_makes_pricing_fail(name in ".{0,60}", counts in proptest::array::uniform6(any::<u64>())) {
        let [input, output, cached, written, reasoning, audio] = counts;
        let call = TokenUsage::new(input, output, 0, 0).model(name.as_str()).cached_tokens(cached)
            .cache_creation_tokens(written).reasoning_tokens(reasoning).audio_input_tokens(audio);
        let _ = Prices::builtin().cost_usd(&call, None);
        let cost = Prices::builtin().cost_usd(&call.model("gpt-4o"), None).expect("a price");
        prop_assert!(cost.is_finite() && cost >= 0.0);
    }

    #[test]
    fn a_further_word_is_another_model(word in "[a-z]{1,8}", digits in "[0-9]{1,2}") {
        prop_assume!(!["mini", "audio", "preview", "latest"].contains(&word.as_str()));
        prop_assert_eq!(input_price(&format!("gpt-4o-{word}"), None), None);
        prop_assert_eq!(input_price(&format!("gpt-4o-{digits}"), None), None);
        prop_assert_eq!(input_price(&format!("gpt-4o{word}"), None), None);
    }

    #[test]
    fn a_part_at_a_lower_price_never_makes_a_call_dearer(input in 0_u64..200_000, share in 0.0..1.0_f64, output in 0_u64..9_000) {
        let plain = usage("claude-haiku-4-5", input, output);
        let cached = plain.clone().cached_tokens((input as f64 * share) as u64);
        prop_assert!(cost(&cached) <= cost(&plain) + 1e-12);
        prop_assert!(cost(&cached) >= cost(&plain) * 0.1 - 1e-12);
    }
}
