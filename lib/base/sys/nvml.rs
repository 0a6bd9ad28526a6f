//! NVIDIA's management library, loaded when it is there: libnvidia-ml.so.1 by dlopen(3), nvml.h. Only what the rest of
//! the house asks for, each function optional, for old libraries lack some. No crate: an optional dependency would have
//! to be in the registry even for those who build without it.
//!
//! A driver that hangs takes the calling thread with it, and the process cannot end before that thread does.

use std::ffi::{CStr, CString, c_char, c_int, c_uint, c_void};
use std::ptr::null_mut;
use std::sync::Mutex;

#[link(name = "dl")]
unsafe extern "C" {
    fn dlopen(path: *const c_char, flags: c_int) -> *mut c_void;
    fn dlsym(library: *mut c_void, name: *const c_char) -> *mut c_void;
    fn dlclose(library: *mut c_void) -> c_int;
}

/// nvmlReturn_t, of which these are told apart.
const SUCCESS: c_int = 0;
const INSUFFICIENT_SIZE: c_int = 7;
/// What a counter says that is not known.
const NOT_AVAILABLE: u64 = u64::MAX;
/// The longest text asked for, bytes.
const TEXT: usize = 128;
/// Most processes of one GPU.
const MOST: usize = 4096;

/// nvmlDevice_t, which points into the library.
type Handle = *mut c_void;

/// nvmlMemory_v2_t; `version` is its size and 2 << 24.
#[repr(C)]
#[derive(Default)]
struct Memory2 {
    version: c_uint,
    total: u64,
    reserved: u64,
    free: u64,
    used: u64,
}
const _: () = assert!(size_of::<Memory2>() == 40);

/// nvmlMemory_t.
#[repr(C)]
#[derive(Default)]
struct Memory1 {
    total: u64,
    free: u64,
    used: u64,
}

/// nvmlUtilization_t.
#[repr(C)]
#[derive(Default)]
struct Utilisation {
    gpu: c_uint,
    memory: c_uint,
}

/// nvmlProcessInfo_v2_t, which _v3 of the function fills.
#[repr(C)]
#[derive(Clone, Default)]
struct Info {
    pid: c_uint,
    used: u64,
    instance: c_uint,
    compute_instance: c_uint,
}
const _: () = assert!(size_of::<Info>() == 24);

type NoArgs = unsafe extern "C" fn() -> c_int;
type Words = unsafe extern "C" fn(c_int) -> *const c_char;
type Text0 = unsafe extern "C" fn(*mut c_char, c_uint) -> c_int;
type TextOfPid = unsafe extern "C" fn(c_uint, *mut c_char, c_uint) -> c_int;
type TextOf = unsafe extern "C" fn(Handle, *mut c_char, c_uint) -> c_int;
type Count = unsafe extern "C" fn(*mut c_uint) -> c_int;
type ByIndex = unsafe extern "C" fn(c_uint, *mut Handle) -> c_int;
type PartByIndex = unsafe extern "C" fn(Handle, c_uint, *mut Handle) -> c_int;
type NumberOf = unsafe extern "C" fn(Handle, *mut c_uint) -> c_int;
type TwoNumbersOf = unsafe extern "C" fn(Handle, *mut c_uint, *mut c_uint) -> c_int;
type TemperatureOf = unsafe extern "C" fn(Handle, c_int, *mut c_uint) -> c_int;
type Memory1Of = unsafe extern "C" fn(Handle, *mut Memory1) -> c_int;
type Memory2Of = unsafe extern "C" fn(Handle, *mut Memory2) -> c_int;
type UtilisationOf = unsafe extern "C" fn(Handle, *mut Utilisation) -> c_int;
type ProcessesOf = unsafe extern "C" fn(Handle, *mut c_uint, *mut Info) -> c_int;

/// The functions that were found.
struct Functions {
    init: NoArgs,
    shutdown: NoArgs,
    words: Option<Words>,
    driver: Option<Text0>,
    process_name: Option<TextOfPid>,
    count: Count,
    device: ByIndex,
    uuid: TextOf,
    name: Option<TextOf>,
    memory: Option<Memory1Of>,
    memory2: Option<Memory2Of>,
    utilisation: Option<UtilisationOf>,
    temperature: Option<TemperatureOf>,
    power: Option<NumberOf>,
    mig: Option<TwoNumbersOf>,
    parts: Option<NumberOf>,
    part: Option<PartByIndex>,
    processes: Option<ProcessesOf>,
}

/// The library, loaded.
pub struct Library {
    library: *mut c_void,
    functions: Functions,
    /// One session at a time: starting and stopping are counted by the library, what is told of a device is not
    turn: Mutex<()>,
}

// SAFETY: the handle is only used to close the library, and NVML may be called by any thread.
unsafe impl Send for Library {}
// SAFETY: as above; sessions take turns.
unsafe impl Sync for Library {}

impl Drop for Library {
    fn drop(&mut self) {
        // SAFETY: opened by dlopen, closed once; sessions borrow the library, so none is left.
        unsafe { dlclose(self.library) };
    }
}

/// The symbol of a library as a function of type F.
///
/// # Safety
/// `F` must be a function pointer, or an Option of one, of the very type the library exports under that name.
unsafe fn symbol<F>(library: *mut c_void, name: &CStr) -> Option<F> {
    const { assert!(size_of::<F>() == size_of::<*mut c_void>()) };
    // SAFETY: an open library and a name that ends with NUL.
    let found = unsafe { dlsym(library, name.as_ptr()) };
    // SAFETY: the same size, not null, and by this function's contract the right type.
    (!found.is_null()).then(|| unsafe { std::mem::transmute_copy::<*mut c_void, F>(&found) })
}

impl Functions {
    /// None: an indispensable one is missing.
    fn of(library: *mut c_void) -> Option<Functions> {
        // SAFETY: the types above are those of nvml.h.
        unsafe {
            Some(Functions {
                init: symbol(library, c"nvmlInit_v2")?,
                shutdown: symbol(library, c"nvmlShutdown")?,
                words: symbol(library, c"nvmlErrorString"),
                driver: symbol(library, c"nvmlSystemGetDriverVersion"),
                process_name: symbol(library, c"nvmlSystemGetProcessName"),
                count: symbol(library, c"nvmlDeviceGetCount_v2")?,
                device: symbol(library, c"nvmlDeviceGetHandleByIndex_v2")?,
                uuid: symbol(library, c"nvmlDeviceGetUUID")?,
                name: symbol(library, c"nvmlDeviceGetName"),
                memory: symbol(library, c"nvmlDeviceGetMemoryInfo"),
                memory2: symbol(library, c"nvmlDeviceGetMemoryInfo_v2"),
                utilisation: symbol(library, c"nvmlDeviceGetUtilizationRates"),
                temperature: symbol(library, c"nvmlDeviceGetTemperature"),
                power: symbol(library, c"nvmlDeviceGetPowerUsage"),
                mig: symbol(library, c"nvmlDeviceGetMigMode"),
                parts: symbol(library, c"nvmlDeviceGetMaxMigDeviceCount"),
                part: symbol(library, c"nvmlDeviceGetMigDeviceHandleByIndex"),
                processes: symbol(library, c"nvmlDeviceGetComputeRunningProcesses_v3"),
            })
        }
    }
}

/// What text functions fill, up to the NUL.
fn text(fill: impl FnOnce(*mut c_char, c_uint) -> c_int) -> Option<String> {
    let mut bytes = [0u8; TEXT];
    if fill(bytes.as_mut_ptr().cast(), TEXT as c_uint - 1) != SUCCESS {
        return None;
    }
    let text = CStr::from_bytes_until_nul(&bytes).ok()?;
    Some(text.to_string_lossy().into_owned()).filter(|text| !text.is_empty())
}

impl Library {
    /// Loads it by its name, or from a path. None: it is not there, or lacks what is indispensable.
    pub fn load(name: &str) -> Option<Library> {
        const RTLD_NOW: c_int = 2;
        let name = CString::new(name).ok()?;
        // SAFETY: a name that ends with NUL; the library's own constructors are NVIDIA's.
        let library = unsafe { dlopen(name.as_ptr(), RTLD_NOW) };
        if library.is_null() {
            return None;
        }
        match Functions::of(library) {
            Some(functions) => Some(Library { library, functions, turn: Mutex::new(()) }),
            None => {
                // SAFETY: opened above, and nothing of it is kept.
                unsafe { dlclose(library) };
                None
            }
        }
    }

    /// Starts it for one look; stopped when the session is dropped, so that idle cards may rest.
    ///
    /// # Errors
    /// The library's words: no driver, one of another version, no permission.
    pub fn start(&self) -> Result<Session<'_>, String> {
        let turn = self.turn.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        // SAFETY: nvmlInit_v2 takes nothing.
        match unsafe { (self.functions.init)() } {
            SUCCESS => Ok(Session { functions: &self.functions, _turn: turn }),
            code => Err(self.functions.words_of(code)),
        }
    }
}

impl Functions {
    fn words_of(&self, code: c_int) -> String {
        let number = || format!("error {code}");
        self.words.map_or_else(number, |words| {
            // SAFETY: returns a constant text, or null in no known version.
            let text = unsafe { words(code) };
            // SAFETY: not null, ends with NUL, and lives as long as the library.
            if text.is_null() { number() } else { unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned() }
        })
    }
}

/// The library, started.
pub struct Session<'a> {
    functions: &'a Functions,
    _turn: std::sync::MutexGuard<'a, ()>,
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        // SAFETY: started once by this session.
        unsafe { (self.functions.shutdown)() };
    }
}

/// A GPU, or a MIG instance of one, as long as the session lasts.
pub struct Device<'a> {
    functions: &'a Functions,
    handle: Handle,
}

impl Session<'_> {
    /// The driver's version.
    pub fn driver(&self) -> Option<String> {
        let get = self.functions.driver?;
        // SAFETY: room for as many bytes as are said.
        text(|to, n| unsafe { get(to, n) })
    }

    /// A process's program, if the driver tells.
    pub fn process_name(&self, pid: u32) -> Option<String> {
        let get = self.functions.process_name?;
        // SAFETY: room for as many bytes as are said.
        text(|to, n| unsafe { get(pid, to, n) })
    }

    /// How many GPUs there are.
    ///
    /// # Errors
    /// The library's words.
    pub fn count(&self) -> Result<u32, String> {
        let mut count = 0;
        // SAFETY: a place for one unsigned.
        match unsafe { (self.functions.count)(&mut count) } {
            SUCCESS => Ok(count),
            code => Err(self.functions.words_of(code)),
        }
    }

    /// A GPU by its number in the order of the PCI bus.
    ///
    /// # Errors
    /// The library's words: it is lost, or somebody else's.
    pub fn device(&self, index: u32) -> Result<Device<'_>, String> {
        let mut handle = null_mut();
        // SAFETY: a place for one handle.
        match unsafe { (self.functions.device)(index, &mut handle) } {
            SUCCESS => Ok(Device { functions: self.functions, handle }),
            code => Err(self.functions.words_of(code)),
        }
    }
}

impl Device<'_> {
    /// `GPU-…` or `MIG-…`.
    pub fn uuid(&self) -> Option<String> {
        // SAFETY: this device's handle, and room for as many bytes as are said.
        text(|to, n| unsafe { (self.functions.uuid)(self.handle, to, n) })
    }

    /// Its model; of an instance, with the profile at its end.
    pub fn name(&self) -> Option<String> {
        let get = self.functions.name?;
        // SAFETY: as above.
        text(|to, n| unsafe { get(self.handle, to, n) })
    }

    /// Memory in all, in use and free, bytes. What is reserved is neither in use nor free, unless the library is older.
    pub fn memory(&self) -> Option<(u64, u64, u64)> {
        if let Some(get) = self.functions.memory2 {
            let mut memory = Memory2 { version: size_of::<Memory2>() as c_uint | 2 << 24, ..Memory2::default() };
            // SAFETY: this device's handle, and a structure that says its version and size.
            if unsafe { get(self.handle, &mut memory) } == SUCCESS {
                return Some((memory.total, memory.used, memory.free));
            }
        }
        let get = self.functions.memory?;
        let mut memory = Memory1::default();
        // SAFETY: this device's handle, and a place for one structure.
        (unsafe { get(self.handle, &mut memory) } == SUCCESS).then_some((memory.total, memory.used, memory.free))
    }

    /// Per cent of the last moments in which it computed.
    pub fn utilisation(&self) -> Option<u32> {
        let get = self.functions.utilisation?;
        let mut utilisation = Utilisation::default();
        // SAFETY: as above.
        (unsafe { get(self.handle, &mut utilisation) } == SUCCESS).then_some(utilisation.gpu)
    }

    /// What is wrong with it, such as `GPU requires reset`.
    pub fn trouble(&self) -> Option<String> {
        const GPU_IS_LOST: c_int = 15;
        const RESET_REQUIRED: c_int = 16;
        const UNKNOWN: c_int = 999;
        let get = self.functions.utilisation?;
        let mut utilisation = Utilisation::default();
        // SAFETY: as above.
        let code = unsafe { get(self.handle, &mut utilisation) };
        matches!(code, GPU_IS_LOST | RESET_REQUIRED | UNKNOWN).then(|| self.functions.words_of(code))
    }

    /// Degrees Celsius.
    pub fn temperature(&self) -> Option<u32> {
        const OF_THE_CHIP: c_int = 0;
        let get = self.functions.temperature?;
        let mut degrees = 0;
        // SAFETY: as above.
        (unsafe { get(self.handle, OF_THE_CHIP, &mut degrees) } == SUCCESS).then_some(degrees)
    }

    /// Milliwatts.
    pub fn power(&self) -> Option<u32> {
        self.number(self.functions.power)
    }

    fn number(&self, get: Option<NumberOf>) -> Option<u32> {
        let mut number = 0;
        // SAFETY: as above.
        (unsafe { get?(self.handle, &mut number) } == SUCCESS).then_some(number)
    }

    /// Whether it is cut into instances.
    pub fn has_mig(&self) -> bool {
        let (mut current, mut pending) = (0, 0);
        // SAFETY: as above, two places.
        self.functions.mig.is_some_and(|get| unsafe { get(self.handle, &mut current, &mut pending) } == SUCCESS)
            && current == 1
    }

    /// Its instances.
    pub fn instances(&self) -> Vec<Device<'_>> {
        let most = self.number(self.functions.parts).unwrap_or(0).min(64);
        let one = |index: u32| {
            let mut handle = null_mut();
            // SAFETY: this device's handle, and a place for one.
            let code = unsafe { self.functions.part?(self.handle, index, &mut handle) };
            (code == SUCCESS).then_some(Device { functions: self.functions, handle })
        };
        (0..most).filter_map(one).collect()
    }

    /// Who computes on it: pid, and memory in bytes if the driver tells.
    ///
    /// # Errors
    /// The library's words, or it is too old.
    pub fn processes(&self) -> Result<Vec<(u32, Option<u64>)>, String> {
        let get = self.functions.processes.ok_or("the library is too old to tell of processes")?;
        let mut infos = vec![Info::default(); 64];
        loop {
            let mut count = infos.len() as c_uint;
            // SAFETY: this device's handle, and room for as many structures as are said.
            match unsafe { get(self.handle, &mut count, infos.as_mut_ptr()) } {
                SUCCESS => {
                    infos.truncate(count as usize);
                    let told = |info: Info| (info.pid, (info.used != NOT_AVAILABLE).then_some(info.used));
                    return Ok(infos.into_iter().map(told).collect());
                }
                INSUFFICIENT_SIZE if infos.len() < MOST => infos.resize(infos.len() * 4, Info::default()),
                code => return Err(self.functions.words_of(code)),
            }
        }
    }
}
