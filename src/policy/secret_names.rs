//! Keys whose value is a secret because the key says so.

use std::collections::HashSet;

/// Names of secrets, in lower case and without separators. A key is one of them when its last words are:
/// `OPENAI_API_KEY`, `db.password`, `clientSecret`; `token_count` and `max_tokens` are not, and a bare `token` is not
/// either, since that is what models' log probabilities call a piece of text.
const NAMES: &str = "
    accesskey accesskeysecret accesstoken accountkey adminpassword apikey apikeys apisecret apitoken appkey
    appsecret authkey authorization authtoken basicauth bearertoken botkey bottoken clientsecret clientsecrets connectionstring
    consumersecret cookie cookies credential credentials csrftoken cvc cvv dbpass dbpasswd deploytoken devicetoken
    encryptionkey hmackey idtoken jwt jwtsecret licensekey masterkey oauthtoken passphrase passwd password
    passwordconfirmation passwords personalaccesstoken privatekey privatetoken proxyauthorization pwd refreshtoken
    secret secretkey secretkeybase secrets securitytoken serviceaccountkey servicekey sessioncookie sessiontoken setcookie
    sharedaccesskey sharedaccesssignature signingkey signingsecret sshkey ssn storagekey subscriptionkey userpass usertoken
    verificationtoken webhooksecret xapikey xauthtoken";

/// The longest key that is looked at, in bytes.
pub(super) const MAX_KEY_BYTES: usize = 64;

#[derive(Debug, Clone)]
pub(super) struct SecretNames {
    names: HashSet<String>,
    /// The last two letters of each, in order: most keys end otherwise, and need no second look.
    endings: Vec<[u8; 2]>,
}

impl SecretNames {
    pub(super) fn with(extra: &[String]) -> Self {
        let known = NAMES.split_whitespace().map(str::to_owned);
        let names: HashSet<_> = known.chain(extra.iter().map(|name| normal(name).0)).collect();
        let mut endings: Vec<_> = names.iter().filter_map(|name| name.as_bytes().last_chunk().copied()).collect();
        endings.sort_unstable();
        endings.dedup();
        Self { names, endings }
    }

    /// Whether the key's last words are the name of a secret.
    pub(super) fn names(&self, key: &str) -> bool {
        if key.len() > MAX_KEY_BYTES || key.len() < 3 || !self.may_name(key.as_bytes()) {
            return false;
        }
        let (normal, words) = normal(key);
        words.iter().any(|start| self.names.contains(&normal[*start..]))
    }
}

impl SecretNames {
    /// False for what ends like no name of a secret.
    fn may_name(&self, key: &[u8]) -> bool {
        let Some(last) = key.last_chunk::<2>() else { return false };
        let plain = last.iter().all(u8::is_ascii_alphanumeric);
        !plain || self.endings.binary_search(&last.map(|b| b.to_ascii_lowercase())).is_ok()
    }
}

/// The key in lower case without separators, and where its words begin in that.
pub(super) fn normal(key: &str) -> (String, Vec<usize>) {
    let (mut out, mut words) = (String::with_capacity(key.len()), vec![0]);
    let mut before = ' ';
    for c in key.chars() {
        let begins = c.is_ascii_uppercase() && before.is_ascii_lowercase() || !before.is_alphanumeric();
        if c.is_alphanumeric() {
            if begins && !out.is_empty() {
                words.push(out.len());
            }
            out.extend(c.to_lowercase());
        }
        before = c;
    }
    (out, words)
}
