//! What no parser is given: iterative, without recursion, before anything else looks at the text.

use crate::Unplannable;

/// The limits of a statement.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Length, in bytes.
    pub bytes_max: usize,
    /// Words, numbers, strings and signs.
    pub tokens_max: usize,
    /// Brackets, parentheses and angle brackets inside each other.
    pub depth_max: usize,
    /// The same sign or prefix word in a row.
    pub run_max: usize,
    /// `AND`, `OR`, `UNION`, `||` and the like in all.
    pub arms_max: usize,
    /// Commas in all.
    pub commas_max: usize,
    /// `JOIN`s in all.
    pub joins_max: usize,
    /// `WITH` parts (counted as `AS (`) in all.
    pub parts_max: usize,
    /// `CASE`s in all.
    pub cases_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes_max: 64 << 10,
            tokens_max: 8_000,
            depth_max: 64,
            run_max: 16,
            arms_max: 256,
            commas_max: 2_000,
            joins_max: 16,
            parts_max: 16,
            cases_max: 64,
        }
    }
}

#[derive(Default)]
struct Counts {
    tokens: usize,
    depth: usize,
    arms: usize,
    commas: usize,
    joins: usize,
    parts: usize,
    cases: usize,
    run: usize,
    last: String,
}

/// Refuses text that a parser should not see.
///
/// # Errors
/// [`Unplannable::Guarded`] with the limit's name.
pub fn guarded(sql: &str, limits: &Limits) -> Result<(), Unplannable> {
    if sql.len() > limits.bytes_max {
        return Err(Unplannable::Guarded("length"));
    }
    let mut counts = Counts::default();
    let mut rest = sql.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '\'' | '"' | '`' => {
                quoted(character, &mut rest)?;
                counts.token("quoted", limits)?;
            }
            '-' if rest.peek() == Some(&'-') => while rest.next_if(|c| *c != '\n').is_some() {},
            '/' if rest.peek() == Some(&'*') => comment(&mut rest)?,
            '$' if !rest.peek().is_some_and(char::is_ascii_digit) => {
                return Err(Unplannable::Guarded("dollar quotes"));
            }
            c if c.is_alphabetic() || c == '_' => {
                let mut word = c.to_uppercase().to_string();
                while let Some(next) = rest.next_if(|c| c.is_alphanumeric() || *c == '_') {
                    word.extend(next.to_uppercase());
                }
                counts.token(&word, limits)?;
            }
            c if c.is_ascii_digit() => {
                while rest.next_if(|c| c.is_alphanumeric() || *c == '.').is_some() {}
                counts.token("number", limits)?;
            }
            c if c.is_ascii_whitespace() => {}
            c if is_hidden(c) => return Err(Unplannable::Guarded("hidden characters")),
            c => counts.token(c.encode_utf8(&mut [0; 4]), limits)?,
        }
    }
    Ok(())
}

type Rest<'a> = std::iter::Peekable<std::str::Chars<'a>>;

/// Skips what stands in quotes; two quotes in a row stand for one.
fn quoted(quote: char, rest: &mut Rest<'_>) -> Result<(), Unplannable> {
    while let Some(character) = rest.next() {
        if character == quote && rest.next_if_eq(&quote).is_none() {
            return Ok(());
        }
        if character == '\0' || (quote != '\'' && is_hidden(character)) {
            return Err(Unplannable::Guarded("hidden characters"));
        }
    }
    Err(Unplannable::Guarded("unclosed quotes"))
}

/// Skips a comment; comments nest.
fn comment(rest: &mut Rest<'_>) -> Result<(), Unplannable> {
    rest.next();
    let mut depth = 1usize;
    while let Some(character) = rest.next() {
        match character {
            '*' if rest.next_if_eq(&'/').is_some() => {
                depth -= 1;
                if depth == 0 {
                    return Ok(());
                }
            }
            '/' if rest.next_if_eq(&'*').is_some() => depth += 1,
            _ => {}
        }
        if depth > 16 {
            return Err(Unplannable::Guarded("depth"));
        }
    }
    Err(Unplannable::Guarded("unclosed comment"))
}

/// Control, format, bidirectional and invisible characters, and spaces that are not plain ones.
fn is_hidden(c: char) -> bool {
    (c.is_control() && !c.is_ascii_whitespace())
        || (c.is_whitespace() && !c.is_ascii_whitespace())
        || matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}'
            | '\u{17b5}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

impl Counts {
    fn token(&mut self, token: &str, limits: &Limits) -> Result<(), Unplannable> {
        let guarded = |within: bool, what| {
            if within {
                Ok(())
            } else {
                Err(Unplannable::Guarded(what))
            }
        };
        self.tokens += 1;
        guarded(self.tokens <= limits.tokens_max, "tokens")?;
        match token {
            "(" | "[" | "{" | "<" => self.depth += 1,
            ")" | "]" | "}" | ">" => self.depth = self.depth.saturating_sub(1),
            "AND" | "OR" | "UNION" | "INTERSECT" | "EXCEPT" | "|" => self.arms += 1,
            "," => self.commas += 1,
            "JOIN" => self.joins += 1,
            "CASE" => self.cases += 1,
            _ => {}
        }
        if token == "(" && self.last == "AS" {
            self.parts += 1;
        }
        // A bare `<` compares; only runs of them nest, which the run limit and the words before catch.
        guarded(self.depth <= limits.depth_max, "depth")?;
        guarded(self.arms <= limits.arms_max, "arms")?;
        guarded(self.commas <= limits.commas_max, "list length")?;
        guarded(self.joins <= limits.joins_max, "joins")?;
        guarded(self.parts <= limits.parts_max, "common table expressions")?;
        guarded(self.cases <= limits.cases_max, "cases")?;
        if token == self.last && token != ")" && token != "quoted" {
            self.run += 1;
        } else {
            self.run = 0;
        }
        guarded(self.run < limits.run_max, "repetition")?;
        if matches!(token, "TABLESAMPLE" | "SAMPLE") {
            return Err(Unplannable::Guarded("table samples"));
        }
        if matches!(
            token,
            "STRUCT" | "MAP" | "ARRAY" | "NESTED" | "TUPLE" | "LIST" | "UNION_TYPE"
        ) {
            return Err(Unplannable::Guarded("nested types"));
        }
        self.last.clear();
        self.last.push_str(token);
        Ok(())
    }
}
