//! The grammar of conditions. Mixing `AND` and `OR` needs parentheses, as documented; without them the condition counts
//! as not parsed, because what it means is not said.

/// Azure takes conditions of up to 8 KB.
const LONGEST: usize = 16 * 1024;
const DEEPEST: usize = 40;
/// What operators of comparison begin with.
const FAMILIES: &[&str] = &["string", "guid", "bool", "numeric", "datetime", "timeofday", "ip"];

/// A condition or a part of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Expr {
    /// Every part holds.
    All(Vec<Expr>),
    /// Some part holds.
    Any(Vec<Expr>),
    /// The part does not hold.
    Not(Box<Expr>),
    /// `ActionMatches{'pattern'}`.
    ActionMatches(String),
    /// `SubOperationMatches{'name'}` and other functions, which the evidence cannot decide.
    Function,
    /// `Exists` or `NotExists` and an attribute.
    Exists(Attribute),
    /// A comparison.
    Compare(Compare),
}

/// `@Source[name]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Attribute {
    /// `resource`, `request`, `principal`, `environment`, lower case.
    pub(super) source: String,
    /// What stands between the brackets, lower case.
    pub(super) name: String,
}

/// `left operator right`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Compare {
    pub(super) left: Operand,
    /// `foranyofanyvalues`, …, lower case.
    pub(super) quantifier: Option<String>,
    /// `stringequals`, …, lower case.
    pub(super) operator: String,
    pub(super) right: Operand,
}

/// One side of a comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Operand {
    Attribute(Attribute),
    /// One value, or those of a set in braces.
    Values(Vec<String>),
}

impl Expr {
    /// Whether an attribute of this name, lower case, stands anywhere in it.
    pub(super) fn names(&self, name: &str) -> bool {
        let is = |operand: &Operand| matches!(operand, Operand::Attribute(attribute) if attribute.name == name);
        match self {
            Expr::All(parts) | Expr::Any(parts) => parts.iter().any(|part| part.names(name)),
            Expr::Not(part) => part.names(name),
            Expr::Exists(attribute) => attribute.name == name,
            Expr::Compare(compare) => is(&compare.left) || is(&compare.right),
            Expr::ActionMatches(_) | Expr::Function => false,
        }
    }
}

impl Expr {
    /// Adds the values that an attribute of this name, lower case, is compared with.
    pub(super) fn compared_with<'a>(&'a self, name: &str, found: &mut Vec<&'a str>) {
        match self {
            Expr::All(parts) | Expr::Any(parts) => parts.iter().for_each(|part| part.compared_with(name, found)),
            Expr::Not(part) => part.compared_with(name, found),
            Expr::Compare(Compare { left: Operand::Attribute(left), right: Operand::Values(values), .. })
                if left.name == name =>
            {
                found.extend(values.iter().map(String::as_str));
            }
            _ => {}
        }
    }
}

/// The condition could not be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotParsed;

/// Reads a condition whole.
pub(super) fn parse(text: &str) -> Result<Expr, NotParsed> {
    if text.len() > LONGEST {
        return Err(NotParsed);
    }
    let mut parser = Parser { tokens: tokens(text)?, at: 0 };
    let expr = parser.either(0)?;
    if parser.at == parser.tokens.len() { Ok(expr) } else { Err(NotParsed) }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Open,
    Close,
    Brace,
    Unbrace,
    Comma,
    And,
    Or,
    Not,
    Word(String),
    Text(String),
    Attribute(Attribute),
}

fn tokens(text: &str) -> Result<Vec<Token>, NotParsed> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, after) = token(first, rest)?;
        tokens.push(token);
        rest = after.trim_start();
    }
    Ok(tokens)
}

fn token(first: char, rest: &str) -> Result<(Token, &str), NotParsed> {
    let after = |length: usize| rest.get(length..).ok_or(NotParsed);
    Ok(match first {
        '(' => (Token::Open, after(1)?),
        ')' => (Token::Close, after(1)?),
        '{' => (Token::Brace, after(1)?),
        '}' => (Token::Unbrace, after(1)?),
        ',' => (Token::Comma, after(1)?),
        '!' => (Token::Not, after(1)?),
        '&' if rest.starts_with("&&") => (Token::And, after(2)?),
        '|' if rest.starts_with("||") => (Token::Or, after(2)?),
        '\'' | '"' => {
            let (value, rest) = after(1)?.split_once(first).ok_or(NotParsed)?;
            // How a quote inside a text is written is not documented.
            if value.ends_with('\\') || rest.starts_with(first) {
                return Err(NotParsed);
            }
            (Token::Text(value.to_owned()), rest)
        }
        '@' => {
            let (source, rest) = after(1)?.split_once('[').ok_or(NotParsed)?;
            let (name, rest) = rest.split_once(']').ok_or(NotParsed)?;
            let source = source.trim().to_ascii_lowercase();
            if source.is_empty() || !source.bytes().all(|byte| byte.is_ascii_alphabetic()) {
                return Err(NotParsed);
            }
            (Token::Attribute(Attribute { source, name: name.trim().to_ascii_lowercase() }), rest)
        }
        _ => {
            let is_part = |letter: char| letter.is_ascii_alphanumeric() || "-_.:+/".contains(letter);
            let end = rest.find(|letter| !is_part(letter)).unwrap_or(rest.len());
            let (word, rest) = rest.split_at_checked(end).filter(|(word, _)| !word.is_empty()).ok_or(NotParsed)?;
            let token = match word.to_ascii_lowercase().as_str() {
                "and" => Token::And,
                "or" => Token::Or,
                "not" => Token::Not,
                _ => Token::Word(word.to_owned()),
            };
            (token, rest)
        }
    })
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn next(&mut self) -> Result<Token, NotParsed> {
        let token = self.peek().cloned().ok_or(NotParsed)?;
        self.at += 1;
        Ok(token)
    }

    fn take(&mut self, expected: &Token) -> Result<(), NotParsed> {
        if self.next()? == *expected { Ok(()) } else { Err(NotParsed) }
    }

    /// Parts joined by one kind of word, all the same.
    fn either(&mut self, depth: usize) -> Result<Expr, NotParsed> {
        let first = self.part(depth)?;
        let Some(word @ (Token::And | Token::Or)) = self.peek().cloned() else { return Ok(first) };
        let mut parts = vec![first];
        while self.peek() == Some(&word) {
            self.at += 1;
            parts.push(self.part(depth)?);
        }
        match self.peek() {
            Some(Token::And | Token::Or) => Err(NotParsed),
            _ if word == Token::And => Ok(Expr::All(parts)),
            _ => Ok(Expr::Any(parts)),
        }
    }

    fn part(&mut self, depth: usize) -> Result<Expr, NotParsed> {
        if depth > DEEPEST {
            return Err(NotParsed);
        }
        match self.peek() {
            Some(Token::Not) => {
                self.at += 1;
                Ok(Expr::Not(Box::new(self.part(depth + 1)?)))
            }
            Some(Token::Open) => {
                self.at += 1;
                let inside = self.either(depth + 1)?;
                self.take(&Token::Close)?;
                Ok(inside)
            }
            _ => self.expression(),
        }
    }

    fn expression(&mut self) -> Result<Expr, NotParsed> {
        if let Some(Token::Word(word)) = self.peek().cloned() {
            let function = word.to_ascii_lowercase();
            if function == "exists" || function == "notexists" {
                self.at += 1;
                let Token::Attribute(attribute) = self.next()? else { return Err(NotParsed) };
                let exists = Expr::Exists(attribute);
                return Ok(if function == "exists" { exists } else { Expr::Not(Box::new(exists)) });
            }
            if self.tokens.get(self.at + 1) == Some(&Token::Brace) {
                self.at += 1;
                return self.function(&function);
            }
        }
        let left = self.operand()?;
        let Token::Word(operator) = self.next()? else { return Err(NotParsed) };
        let operator = operator.to_ascii_lowercase();
        let (quantifier, operator) = match operator.split_once(':') {
            Some((quantifier, operator)) => (Some(quantifier.to_owned()), operator.to_owned()),
            None => (None, operator),
        };
        if !FAMILIES.iter().any(|family| operator.starts_with(family)) {
            return Err(NotParsed);
        }
        let right = self.operand()?;
        Ok(Expr::Compare(Compare { left, quantifier, operator, right }))
    }

    fn function(&mut self, name: &str) -> Result<Expr, NotParsed> {
        let Operand::Values(values) = self.operand()? else { return Err(NotParsed) };
        match (name, values.as_slice()) {
            ("actionmatches", [pattern]) => Ok(Expr::ActionMatches(pattern.clone())),
            ("suboperationmatches", [_]) => Ok(Expr::Function),
            _ => Err(NotParsed),
        }
    }

    fn operand(&mut self) -> Result<Operand, NotParsed> {
        match self.next()? {
            Token::Attribute(attribute) => Ok(Operand::Attribute(attribute)),
            Token::Text(value) | Token::Word(value) => Ok(Operand::Values(vec![value])),
            Token::Brace => {
                let mut values = Vec::new();
                loop {
                    let (Token::Text(value) | Token::Word(value)) = self.next()? else { return Err(NotParsed) };
                    values.push(value);
                    match self.next()? {
                        Token::Comma => {}
                        Token::Unbrace => return Ok(Operand::Values(values)),
                        _ => return Err(NotParsed),
                    }
                }
            }
            _ => Err(NotParsed),
        }
    }
}
