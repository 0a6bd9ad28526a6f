//! The tensors in what torch.save writes since PyTorch 1.6: a zip file with data.pkl, a pickle that describes objects, and
//! an entry data/KEY for each storage, which several tensors may share.
//!
//! A tensor is a call of torch._utils._rebuild_tensor_v2 with storage, offset, size and stride. Tensors are found in nested
//! dictionaries and lists, and in the state of modules (torch.nn), and named by the way to them.

use super::kind::Kind;
use super::layout::Layout;
use super::pickle::{Held, Object, Pickle};
use super::zip::Zip;
use super::{Place, Tensor};
use std::collections::{HashMap, HashSet};
use std::io::Read;

/// Largest data.pkl that is read, bytes: some hundred thousand tensors.
const LARGEST: u64 = 64 << 20;
/// Most tensors, and deepest nesting.
const MOST: usize = 1_000_000;
const DEEPEST: usize = 64;
/// So many times the bytes of the file may be read: tensors may share storages, but not without end.
const MOST_SHARED: u64 = 64;

/// Functions and classes that say what a tensor is, or that hold what is of no interest and do no harm as nothing is run.
const KNOWN: [&str; 22] = [
    "torch._utils._rebuild_tensor",
    "torch._utils._rebuild_tensor_v2",
    "torch._utils._rebuild_tensor_v3",
    "torch._utils._rebuild_parameter",
    "torch._utils._rebuild_parameter_with_state",
    "torch._tensor._rebuild_from_type_v2",
    "torch.Size",
    "torch.device",
    "torch.Tensor",
    "torch.storage.UntypedStorage",
    "torch.UntypedStorage",
    "collections.OrderedDict",
    "collections.defaultdict",
    "collections.Counter",
    "argparse.Namespace",
    "_codecs.encode",
    "copy_reg._reconstructor",
    "copyreg._reconstructor",
    "pathlib.PosixPath",
    "numpy.dtype",
    "numpy.core.multiarray.scalar",
    "numpy._core.multiarray.scalar",
];

/// The classes of storages, and what they hold.
const STORAGES: [(&str, Kind); 14] = [
    ("torch.FloatStorage", Kind::F32),
    ("torch.DoubleStorage", Kind::F64),
    ("torch.HalfStorage", Kind::F16),
    ("torch.BFloat16Storage", Kind::Bf16),
    ("torch.LongStorage", Kind::I64),
    ("torch.IntStorage", Kind::I32),
    ("torch.ShortStorage", Kind::I16),
    ("torch.CharStorage", Kind::I8),
    ("torch.ByteStorage", Kind::U8),
    ("torch.BoolStorage", Kind::Bool),
    ("torch.ComplexFloatStorage", Kind::C64),
    ("torch.ComplexDoubleStorage", Kind::C128),
    ("torch.storage.UntypedStorage", Kind::U8),
    ("torch.UntypedStorage", Kind::U8),
];

fn is_allowed(name: &str) -> bool {
    let builtin = |module: &str| {
        let class = name.strip_prefix(module).unwrap_or_default();
        matches!(
            class,
            "set"
                | "frozenset"
                | "list"
                | "dict"
                | "tuple"
                | "object"
                | "int"
                | "float"
                | "bool"
                | "str"
                | "complex"
                | "slice"
        )
    };
    let is_type = name.strip_prefix("torch.").is_some_and(|name| Kind::named(name).is_some());
    let is_module = name.starts_with("torch.nn.modules.") || name.starts_with("torch.nn.parameter.");
    KNOWN.contains(&name)
        || STORAGES.iter().any(|(storage, _)| *storage == name)
        || is_type
        || is_module
        || builtin("builtins.")
        || builtin("__builtin__.")
}

/// Whether a zip file is one of PyTorch's; if so, what its entries' names begin with.
pub fn prefix(zip: &Zip) -> Option<String> {
    let mut names = zip.entries.iter().map(|entry| entry.name.as_str());
    names
        .find_map(|name| name.strip_suffix("data.pkl"))
        .filter(|p| p.is_empty() || p.ends_with('/'))
        .map(str::to_string)
}

/// The tensors.
///
/// # Errors
/// In words: it is a TorchScript archive, its pickle describes something else, or a tensor does not fit its storage.
pub fn tensors(zip: &Zip, prefix: &str, file_size: u64) -> Result<Vec<Tensor>, String> {
    let places: HashMap<&str, usize> =
        zip.entries.iter().enumerate().map(|(number, entry)| (entry.name.as_str(), number)).collect();
    if places.contains_key(format!("{prefix}constants.pkl").as_str()) {
        return Err(
            "a TorchScript archive holds a program, and is not read: save model.state_dict() with torch.save".into()
        );
    }
    let pickle = small(zip, &places, &format!("{prefix}data.pkl"), LARGEST)?.ok_or("its data.pkl is missing")?;
    let big = small(zip, &places, &format!("{prefix}byteorder"), 16)?.is_some_and(|order| order == b"big");
    let (pickle, top) = Pickle::read(&pickle, &is_allowed)?;
    let mut walk = Walk {
        pickle: &pickle,
        zip,
        places,
        prefix,
        big,
        found: Vec::new(),
        names: HashSet::new(),
        left: MOST,
        bytes: file_size.saturating_mul(MOST_SHARED),
    };
    walk.visit(top, &mut String::new(), 0)?;
    Ok(walk.found)
}

/// An entry as a whole.
fn small(zip: &Zip, places: &HashMap<&str, usize>, name: &str, most: u64) -> Result<Option<Vec<u8>>, String> {
    let Some(entry) = places.get(name).and_then(|number| zip.entries.get(*number)) else { return Ok(None) };
    if entry.size > most {
        return Err(format!("'{name}' has {} bytes: at most {most} are read", entry.size));
    }
    let mut bytes = Vec::new();
    zip.read(entry)?
        .take(entry.size)
        .read_to_end(&mut bytes)
        .map_err(|err| format!("'{name}': {}", crate::base::error::reason(&err)))?;
    Ok(Some(bytes))
}

struct Walk<'a> {
    pickle: &'a Pickle,
    zip: &'a Zip,
    places: HashMap<&'a str, usize>,
    prefix: &'a str,
    big: bool,
    found: Vec<Tensor>,
    names: HashSet<String>,
    /// Objects that may still be looked at: they may be many more than there are, by shared ones in shared ones
    left: usize,
    /// Bytes that may still be read
    bytes: u64,
}

impl Walk<'_> {
    fn visit(&mut self, object: Object, name: &mut String, depth: usize) -> Result<(), String> {
        self.left = self.left.checked_sub(1).ok_or_else(|| format!("more than {MOST} objects in objects"))?;
        if depth > DEEPEST {
            return Err(format!("'{name}' is nested deeper than {DEEPEST}"));
        }
        let pickle = self.pickle;
        match pickle.get(object) {
            Some(Held::List(items)) => {
                for (number, item) in items.iter().enumerate() {
                    self.below(&number.to_string(), *item, name, depth)?;
                }
            }
            Some(Held::Map(members)) => {
                for (key, value) in members {
                    match (pickle.text(*key), key) {
                        (Some(key), _) => self.below(key, *value, name, depth)?,
                        (None, Object::Int(key)) => self.below(&key.to_string(), *value, name, depth)?,
                        _ => {}
                    }
                }
            }
            Some(Held::Made { of, with, state }) => self.made(*of, *with, *state, name, depth)?,
            _ => {}
        }
        Ok(())
    }

    fn below(&mut self, key: &str, object: Object, name: &mut String, depth: usize) -> Result<(), String> {
        if !matches!(object, Object::At(_)) {
            return Ok(());
        }
        let length = name.len();
        if length > 0 {
            name.push('.');
        }
        name.push_str(key);
        if name.len() > 4096 {
            return Err("a name longer than 4096 bytes".into());
        }
        self.visit(object, name, depth + 1)?;
        name.truncate(length);
        Ok(())
    }

    fn made(&mut self, of: Object, with: Object, state: Object, name: &mut String, depth: usize) -> Result<(), String> {
        let global = self.pickle.global(of).unwrap_or_default();
        let with = self.pickle.list(with).unwrap_or_default();
        match global {
            "torch._utils._rebuild_tensor" | "torch._utils._rebuild_tensor_v2" => self.tensor(with, None, name),
            "torch._utils._rebuild_tensor_v3" => self.tensor(with, with.get(6).copied(), name),
            // What they rebuild is their first argument; of the other one the function, the class, its arguments, a state.
            "torch._utils._rebuild_parameter" | "torch._utils._rebuild_parameter_with_state" => {
                self.visit(with.first().copied().unwrap_or(Object::None), name, depth + 1)
            }
            "torch._tensor._rebuild_from_type_v2" => match with {
                [function, _, arguments, ..] => self.made(*function, *arguments, Object::None, name, depth + 1),
                _ => Err(format!("'{name}' is rebuilt from nothing")),
            },
            "collections.OrderedDict" | "collections.defaultdict" | "argparse.Namespace" => {
                // Python 2 gives an ordered dictionary its members as an argument.
                let given =
                    with.first().copied().filter(|_| global != "collections.defaultdict" && state == Object::None);
                self.visit(given.unwrap_or(state), name, depth + 1)
            }
            module if module.starts_with("torch.nn.") || module.ends_with("._reconstructor") => {
                self.module(state, name, depth)
            }
            _ => Ok(()),
        }
    }

    /// Parameters and buffers of a module, and the modules in it, as its state_dict would name them.
    fn module(&mut self, state: Object, name: &mut String, depth: usize) -> Result<(), String> {
        let Some(Held::Map(members)) = self.pickle.get(state) else { return Ok(()) };
        for part in ["_parameters", "_buffers", "_modules"] {
            let member = members.iter().find(|(key, _)| self.pickle.text(*key) == Some(part));
            if let Some((_, value)) = member {
                self.visit(*value, name, depth + 1)?;
            }
        }
        Ok(())
    }

    fn tensor(&mut self, with: &[Object], own_kind: Option<Object>, name: &str) -> Result<(), String> {
        let wrong = |what: &str| format!("tensor '{name}': {what}");
        let [storage, Object::Int(offset), size, stride, ..] = with else { return Err(wrong("not described in full")) };
        let pickle = self.pickle;
        let number = |object: &Object| match object {
            Object::Int(number) => u64::try_from(*number).ok(),
            _ => None,
        };
        let numbers = |object: &Object| pickle.list(*object)?.iter().map(number).collect::<Option<Vec<u64>>>();
        let (Some(shape), Some(strides)) = (numbers(&self.plain(*size)), numbers(&self.plain(*stride))) else {
            return Err(wrong("its size or stride is none"));
        };
        let (entry, kind) = self.storage(*storage).map_err(|what| wrong(&what))?;
        let kind = match own_kind {
            None => kind,
            Some(kind) => {
                let named = pickle.global(kind).and_then(|name| Kind::named(name.strip_prefix("torch.")?));
                named.ok_or_else(|| wrong("of a type that is not read"))?
            }
        };
        if shape.len() != strides.len() || shape.len() > 64 {
            return Err(wrong("its size and stride do not fit"));
        }
        let layout = Layout::strided(&shape, &strides).map_err(|what| wrong(&what))?;
        let begin = u64::try_from(*offset).ok().and_then(|offset| offset.checked_mul(kind.size()));
        let end = begin.zip(layout.span.checked_mul(kind.size())).and_then(|(begin, span)| begin.checked_add(span));
        let there = self.zip.entries.get(entry).map_or(0, |entry| entry.size);
        let (Some(begin), Some(_)) = (begin, end.filter(|end| *end <= there)) else {
            return Err(wrong(&format!("it reaches beyond its storage, which has {there} bytes")));
        };
        let walked = layout.span.saturating_mul(kind.size());
        self.bytes = self.bytes.checked_sub(walked).ok_or_else(|| wrong("too many tensors share one storage"))?;
        if !self.names.insert(name.to_string()) {
            return Err(wrong("there are two of that name"));
        }
        let place = Place::In(entry, begin);
        self.found.push(Tensor { name: name.to_string(), shape, kind, big: self.big, layout, place });
        Ok(())
    }

    /// A torch.Size is made of a tuple: the tuple.
    fn plain(&self, object: Object) -> Object {
        match self.pickle.get(object) {
            Some(Held::Made { of, with, .. }) if self.pickle.global(*of) == Some("torch.Size") => {
                let first = self.pickle.list(*with).and_then(|with| with.first());
                first.copied().unwrap_or(object)
            }
            _ => object,
        }
    }

    /// The entry of a storage, and what it holds. Its id: 'storage', the class, the key, the device, elements.
    fn storage(&self, object: Object) -> Result<(usize, Kind), String> {
        let Some(Held::Kept(id)) = self.pickle.get(object) else { return Err("without a storage".into()) };
        let Some([what, class, key, ..]) = self.pickle.list(*id) else { return Err("its storage has no id".into()) };
        if self.pickle.text(*what) != Some("storage") {
            return Err("its storage is none".into());
        }
        let class = self.pickle.global(*class).unwrap_or_default();
        let kind = STORAGES.iter().find(|(name, _)| *name == class).map(|(_, kind)| *kind);
        let kind = kind.ok_or_else(|| format!("its storage is a {class}"))?;
        let key = self.pickle.text(*key).ok_or("its storage has no key")?;
        let name = format!("{}data/{key}", self.prefix);
        let entry = self.places.get(name.as_str()).copied();
        entry.map(|entry| (entry, kind)).ok_or_else(|| format!("its storage '{name}' is missing"))
    }
}
