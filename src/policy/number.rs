//! Numbers that name a person or their money: cards, bank accounts, social security, phones.

use super::spans::Found;

/// Whether a byte is of a word: what follows or precedes one without a gap belongs to something longer.
pub(super) const fn is_word(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'_'
}

/// Looks at the run of digits that begins here; gives its end.
pub(super) fn find(bytes: &[u8], start: usize, found: &mut Found<'_>) -> usize {
    let end = start + bytes[start..].iter().position(|b| !b.is_ascii_digit()).unwrap_or(bytes.len() - start);
    let before = |back: usize| start.checked_sub(back).map(|at| bytes[at]);
    let hit = match before(1) {
        Some(b'+') if !before(2).is_some_and(is_word) => phone(bytes, start - 1, found),
        Some(b) if b.is_ascii_uppercase() => iban(bytes, start, found),
        Some(b) if is_word(b) => None,
        // A part of a longer thing: 0.4111…, 550e8400-e29b-…
        Some(b'.' | b'-') if before(2).is_some_and(is_word) => None,
        _ if end - start == 3 => social_security(bytes, start, end, found),
        _ => card(bytes, start, found),
    };
    hit.unwrap_or(end)
}

/// Nothing follows that would make it part of something longer.
fn ends(bytes: &[u8], end: usize) -> bool {
    let next = |at: usize| bytes.get(at).copied();
    match next(end) {
        Some(b) if is_word(b) => false,
        Some(b'.' | b',' | b'-') => !next(end + 1).is_some_and(|b| b.is_ascii_digit()),
        _ => true,
    }
}

/// The digits of something written in groups, one character between two at most.
struct Groups<'a> {
    bytes: &'a [u8],
    at: usize,
    between: fn(u8) -> bool,
    gap: usize,
}

impl Groups<'_> {
    /// The next group's place; none where something else comes. At the end of the text `at` is its length.
    fn next(&mut self, first: bool) -> Option<(usize, usize)> {
        let mut start = self.at;
        while !first && start < self.bytes.len() && start - self.at < self.gap && (self.between)(self.bytes[start]) {
            start += 1;
        }
        let digits = self.bytes[start..].iter().take(20).take_while(|b| b.is_ascii_digit()).count();
        if digits == 0 {
            self.at = if start == self.bytes.len() { start } else { self.at };
            return None;
        }
        self.at = start + digits;
        Some((start, self.at))
    }

    fn is_at_end(&self) -> bool {
        self.at == self.bytes.len()
    }
}

/// ISO/IEC 7812: 13 to 19 digits of a known issuer with the check digit of Luhn, whole or in groups that begin with four.
fn card(bytes: &[u8], start: usize, found: &mut Found<'_>) -> Option<usize> {
    let mut groups = Groups { bytes, at: start, between: |b| matches!(b, b' ' | b'-'), gap: 1 };
    let (mut all, mut count) = ([0; 40], 0);
    while count < 19
        && let Some((from, to)) = groups.next(count == 0)
    {
        bytes[from..to].iter().zip(&mut all[count..]).for_each(|(b, digit)| *digit = b - b'0');
        count += to - from;
        if is_card(&all[..count]) && ends(bytes, to) {
            if groups.is_at_end() {
                found.open(start);
            }
            found.mask(start, to, "card");
            return Some(to);
        }
        if count != 4 && count == to - from {
            break;
        }
    }
    if groups.is_at_end() && count <= 19 {
        found.open(start);
    }
    None
}

fn is_card(digits: &[u8]) -> bool {
    if !(13..=19).contains(&digits.len()) {
        return false;
    }
    let first = digits[..4].iter().fold(0_u32, |number, digit| number * 10 + u32::from(*digit));
    let issued = matches!(
        (first, digits.len()),
        (4000..=4999, 13 | 16 | 19)
            | (5100..=5599 | 2221..=2720, 16)
            | (3400..=3499 | 3700..=3799, 15)
            | (3000..=3059 | 3600..=3699 | 3800..=3999, 14..=19)
            | (6011 | 6440..=6599 | 6200..=6299 | 3528..=3589, 16..=19)
    );
    issued && luhn(digits)
}

fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match u32::from(*digit) {
            digit if place % 2 == 0 => digit,
            digit if digit < 5 => digit * 2,
            digit => digit * 2 - 9,
        })
        .sum();
    sum.is_multiple_of(10)
}

/// `123-45-6789`, of a number that is given out (20 CFR 422.103: no area 000, 666, 9xx; no group 00; no serial 0000).
fn social_security(bytes: &[u8], start: usize, end: usize, found: &mut Found<'_>) -> Option<usize> {
    let rest = bytes.get(end..start + 11)?;
    let (group, serial) = (&rest[1..3], &rest[4..]);
    let digits = [group, serial].concat().iter().all(u8::is_ascii_digit) && rest[0] == b'-' && rest[3] == b'-';
    let area = &bytes[start..end];
    let given = area != b"000" && area != b"666" && area[0] != b'9' && group != b"00" && serial != b"0000";
    let follows = bytes.get(start + 11).is_some_and(|b| is_word(*b) || *b == b'-');
    if !digits || !given || follows {
        return None;
    }
    found.mask(start, start + 11, "us_ssn");
    Some(start + 11)
}

/// ITU-T E.164: a plus and 8 to 15 digits, however they are grouped. National forms are not looked for: they look like
/// any number.
fn phone(bytes: &[u8], plus: usize, found: &mut Found<'_>) -> Option<usize> {
    let between = |b: u8| matches!(b, b' ' | b'-' | b'.' | b'/' | b'(' | b')');
    let mut groups = Groups { bytes, at: plus + 1, between, gap: 2 };
    let (mut digits, mut first_end, mut end) = (0, None, None);
    while let Some((from, to)) = groups.next(digits == 0) {
        digits += to - from;
        if digits > 15 || bytes.get(to).is_some_and(|b| is_word(*b)) {
            break;
        }
        end = (digits >= 8).then_some(to);
        first_end = first_end.or(end);
    }
    if groups.is_at_end() && digits <= 15 {
        found.open(plus);
    }
    let end = end.filter(|_| bytes[plus + 1] != b'0')?;
    found.mask(plus, end, "phone");
    // The last groups may be of another number, a card's: they are looked at by themselves too.
    first_end
}

/// Countries and the length of their account numbers (ISO 13616, the registry of SWIFT).
const IBAN_LENGTHS: &str = "AD24AE23AL28AT20AZ28BA20BE16BG22BH22BR29BY28CH21CR22CY28CZ24DE22DK18DO28EE20EG29ES24FI18FO18\
    FR27GB22GE22GI23GL18GR27GT28HR21HU28IE22IL23IQ23IS26IT27JO30KW30KZ20LB28LC32LI21LT20LU20LV21LY25MC27MD24ME22MK19MR27\
    MT31MU30NL18NO15PK24PL28PS29PT25QA29RO24RS22SA24SC31SD18SE24SI19SK24SM27ST25SV28TL23TN24TR26UA29VA22VG24XK20";

/// ISO 13616: country, check digits, account; the remainder by 97 is 1. Written whole or in groups.
fn iban(bytes: &[u8], digit: usize, found: &mut Found<'_>) -> Option<usize> {
    let start = digit.checked_sub(2)?;
    let length = iban_length(&bytes[start..digit])?;
    if start > 0 && is_word(bytes[start - 1]) {
        return None;
    }
    let (mut account, mut at) = (Vec::with_capacity(length), start);
    while account.len() < length {
        match bytes.get(at) {
            None => {
                found.open(start);
                return None;
            }
            Some(b) if b.is_ascii_uppercase() || b.is_ascii_digit() => account.push(*b),
            Some(b' ') if account.len() >= 4 && bytes[at - 1] != b' ' => {}
            Some(_) => return None,
        }
        at += 1;
    }
    let valid = checksum(&account) && !bytes.get(at).is_some_and(|b| is_word(*b));
    valid.then(|| {
        found.mask(start, at, "iban");
        at
    })
}

fn iban_length(country: &[u8]) -> Option<usize> {
    let row = IBAN_LENGTHS.as_bytes().chunks(4).find(|row| row.starts_with(country))?;
    Some(usize::from(row[2] - b'0') * 10 + usize::from(row[3] - b'0'))
}

/// ISO 7064: the first four characters go to the end, letters count from 10.
fn checksum(account: &[u8]) -> bool {
    let rotated = account[4..].iter().chain(&account[..4]);
    let remainder = rotated.fold(0_u32, |rest, b| match b {
        b'0'..=b'9' => (rest * 10 + u32::from(b - b'0')) % 97,
        letter => (rest * 100 + u32::from(letter - b'A') + 10) % 97,
    });
    remainder == 1
}
