//! Microsoft's own descriptions: operations, schemas and recorded exchanges, read as far as the comparison needs.

use super::*;

/// One OpenAPI 2.0 file.
pub(super) struct Specification {
    file: PathBuf,
    body: Value,
    openapi: PathBuf,
}

impl Specification {
    pub(super) fn open(shared: &Path, file: &str) -> Specification {
        Specification::at(shared.join("openapi"), shared.join("openapi").join(file))
    }

    pub(super) fn at(openapi: PathBuf, file: PathBuf) -> Specification {
        let text = fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        Specification { body: serde_json::from_slice(&text).expect("JSON"), file, openapi }
    }

    /// Template and operation for a request, the most literal one where several fit.
    pub(super) fn operation(&self, method: &str, url: &Url) -> Option<(&str, &Value)> {
        let base = self.body["basePath"].as_str().unwrap_or_default().trim_end_matches('/');
        let path = url.path().strip_prefix(base)?;
        let fits = self.body["paths"].as_object()?.iter().filter_map(|(template, operations)| {
            let operation = operations.get(method.to_lowercase())?;
            let is_wide = |name: &str| {
                // the scope of a plan is a subscription or a resource: `ScopeId` in Microsoft.Security/2024-01-01
                name == "scopeId"
                    || self
                        .parameters(operations, operation)
                        .iter()
                        .any(|parameter| parameter["name"] == name && parameter["x-ms-skip-url-encoding"] == true)
            };
            fits(&steps(template), &steps(path), &is_wide).then_some((template.as_str(), operation))
        });
        fits.max_by_key(|(template, _)| {
            let (named, literal): (Vec<&str>, Vec<&str>) =
                steps(template).into_iter().partition(|step| step.starts_with('{'));
            (literal.len(), Reverse(named.len()))
        })
    }

    /// The parameters of an operation, and those of its path.
    pub(super) fn parameters(&self, path: &Value, operation: &Value) -> Vec<Value> {
        let lists = [&path["parameters"], &operation["parameters"]].into_iter().filter_map(Value::as_array);
        lists.flatten().map(|parameter| self.resolved(parameter).1).collect()
    }

    /// Where a request is not what the specification says.
    pub(super) fn differences(&self, kind: Kind, method: &str, url: &Url) -> Vec<String> {
        let Some((template, operation)) = self.operation(method, url) else {
            return vec![format!("{kind:?}: {method} {} is no operation", url.path())];
        };
        let mut wrong = Vec::new();
        let parameters = self.parameters(&self.body["paths"][template], operation);
        let sent: BTreeMap<String, String> = url.query_pairs().into_owned().collect();
        let in_query = || parameters.iter().filter(|parameter| parameter["in"] == "query");
        let is_listed = |name: &str| PARAMETERS.iter().any(|(of, listed, _)| *of == kind && *listed == name);
        for parameter in in_query().filter(|parameter| parameter["required"] == true) {
            let name = parameter["name"].as_str().unwrap_or_default();
            if !sent.contains_key(name) && !is_listed(name) {
                wrong.push(format!("{kind:?}: `{name}` is required by {template}"));
            }
        }
        for name in sent
            .keys()
            .filter(|name| in_query().all(|parameter| parameter["name"] != ***name))
            .filter(|name| !is_listed(name))
        {
            wrong.push(format!("{kind:?}: {template} knows no `{name}`"));
        }
        let version = self.body["info"]["version"].as_str().unwrap_or_default();
        let is_newer = |asked: &str| NEWER.iter().any(|(of, newer, _)| *of == kind && *newer == asked);
        if let Some(asked) = sent.get("api-version").filter(|asked| *asked != version && !is_newer(asked)) {
            wrong.push(format!("{kind:?}: version {asked} is asked for, the specification is {version}"));
        }
        wrong
    }

    pub(super) fn has_field(&self, method: &str, url: &Url, path: &[String]) -> bool {
        let Some((_, operation)) = self.operation(method, url) else { return false };
        self.has(&operation["responses"]["200"]["schema"], path, 0)
            || self.examples(operation).iter().any(|body| holds(body, path))
    }

    /// Microsoft's examples of an operation, which hold what the missing common files define.
    pub(super) fn examples(&self, operation: &Value) -> Vec<Value> {
        let name = operation["operationId"].as_str().unwrap_or_default();
        let provider = self.file.strip_prefix(&self.openapi).ok().and_then(|file| file.components().next());
        let folder = self.openapi.with_file_name("examples").join(provider.expect("a provider"));
        let entries = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.expect("an entry").path());
        let of_operation = entries
            .filter(|path| path.file_name().is_some_and(|file| file.to_string_lossy().split('.').next() == Some(name)));
        of_operation
            .map(|path| serde_json::from_slice::<Value>(&fs::read(path).expect("a file")).expect("JSON"))
            .map(|example| example["responses"]["200"]["body"].clone())
            .collect()
    }

    /// Whether a schema knows a path: `[]` is any item, `*` any name of a map.
    pub(super) fn has(&self, schema: &Value, path: &[String], depth: usize) -> bool {
        if schema.is_null() || depth > 40 {
            return false;
        }
        if schema.get("$ref").is_some() {
            let (specification, target) = self.resolved(schema);
            return specification.as_ref().unwrap_or(self).has(&target, path, depth + 1);
        }
        let Some((step, rest)) = path.split_first() else { return true };
        let inherited = schema["allOf"].as_array().into_iter().flatten();
        let below = match step.as_str() {
            "[]" => &schema["items"],
            "*" => &schema["additionalProperties"],
            name => &schema["properties"][name],
        };
        self.has(below, rest, depth + 1) || inherited.into_iter().any(|parent| self.has(parent, path, depth + 1))
    }

    /// What a `$ref` points at, and the other file that it is in. Links to other files keep their upstream paths:
    /// the file is found by its name, beside this one or among the common types of Resource Manager.
    pub(super) fn resolved(&self, value: &Value) -> (Option<Specification>, Value) {
        let Some(link) = value.get("$ref").and_then(Value::as_str) else { return (None, value.clone()) };
        let (file, pointer) = link.split_once('#').expect("a pointer");
        if file.is_empty() {
            return (None, self.body.pointer(pointer).expect("it is there").clone());
        }
        let name = file.rsplit('/').next().unwrap_or(file);
        let beside = self.file.with_file_name(name);
        let version = file.split('/').rev().nth(1).unwrap_or_default();
        let common = self.openapi.join("common-types").join(version).join(name);
        let place = if file.contains("common-types/resource-management") { common } else { beside };
        if !place.is_file() {
            // Some providers' common files are not here. Of parameters the name tells enough; of a definition nothing
            // is known, so that its fields are listed above.
            let is_version = link.ends_with("/ApiVersionParameter");
            let version = serde_json::json!({"name": "api-version", "in": "query", "required": true});
            return (None, if is_version { version } else { Value::Object(serde_json::Map::new()) });
        }
        let other = Specification::at(self.openapi.clone(), place);
        let target = other.body.pointer(pointer).unwrap_or_else(|| panic!("{link} of {}", self.file.display())).clone();
        (Some(other), target)
    }
}

pub(super) fn steps(path: &str) -> Vec<&str> {
    path.split('/').filter(|step| !step.is_empty()).collect()
}

/// Whether a path fits a template. A parameter is one step, a wide one any number, as a scope is.
pub(super) fn fits(template: &[&str], path: &[&str], is_wide: &dyn Fn(&str) -> bool) -> bool {
    let Some((first, rest)) = template.split_first() else { return path.is_empty() };
    match first.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
        Some(name) if is_wide(name) => (0..=path.len()).any(|count| fits(rest, &path[count..], is_wide)),
        Some(_) => path.split_first().is_some_and(|(_, path)| fits(rest, path, is_wide)),
        None => {
            path.split_first().is_some_and(|(step, path)| step.eq_ignore_ascii_case(first) && fits(rest, path, is_wide))
        }
    }
}

// ---- published exchanges -----------------------------------------------------------------------------------------

pub(super) fn exchange_file(shared: &Path, kind: Kind) -> Value {
    let (_, file) = EXCHANGES.iter().find(|(of, _)| *of == kind).unwrap_or_else(|| panic!("{kind:?} has no source"));
    serde_json::from_slice(&fs::read(shared.join("examples/graph").join(file)).expect("a file")).expect("JSON")
}

pub(super) fn exchanges(shared: &Path, kind: Kind) -> Vec<Value> {
    let file = exchange_file(shared, kind);
    file["exchanges"]
        .as_array()
        .expect("exchanges")
        .iter()
        .map(|exchange| exchange["response"]["body"].clone())
        .collect()
}

pub(super) fn unlike_exchanges(shared: &Path, kind: Kind, method: &str, url: &Url) -> Option<String> {
    if let Some((_, path, source)) = DOCUMENTED.iter().find(|(of, ..)| *of == kind) {
        let asked = format!("{method} {}", url.path());
        let is_alike = fits(&steps(path), &steps(&asked), &|_| false);
        return (!is_alike).then(|| format!("{kind:?}: {asked} is not {path} of {source}"));
    }
    let file = exchange_file(shared, kind);
    let is_alike = |exchange: &Value| {
        let asked = Url::parse(exchange["request"]["url"].as_str().unwrap_or_default()).expect("a URL");
        let is_id = |step: &str| step.starts_with("%7B") || (step.len() == 36 && step.matches('-').count() == 4);
        let same = |(one, two): (&&str, &&str)| one.eq_ignore_ascii_case(two) || (is_id(one) && is_id(two));
        let (one, two) = (steps(asked.path()), steps(url.path()));
        exchange["request"]["method"] == method && one.len() == two.len() && one.iter().zip(&two).all(same)
    };
    let alike = file["exchanges"].as_array().expect("exchanges").iter().any(is_alike);
    (!alike).then(|| format!("{kind:?}: {method} {} is in no published exchange", url.path()))
}

/// Whether a body holds a path.
pub(super) fn holds(body: &Value, path: &[String]) -> bool {
    let Some((step, rest)) = path.split_first() else { return true };
    match step.as_str() {
        "[]" => body.as_array().into_iter().flatten().any(|item| holds(item, rest)),
        "*" => body.as_object().into_iter().flatten().any(|(_, below)| holds(below, rest)),
        name => body.get(name).is_some_and(|below| holds(below, rest)),
    }
}
