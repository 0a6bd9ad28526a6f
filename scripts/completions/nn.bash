# bash completion of nn-tools: what all tools share, then one block a tool.
# In a function of a tool $2 is the word being typed and $3 the word before it.
# shellcheck disable=SC2119,SC2120

# _nn_options OPTION…: offer these if an option is being typed.
_nn_options() {
    local word=${COMP_WORDS[COMP_CWORD]}
    [[ $word == -* ]] || return 1
    mapfile -t COMPREPLY < <(compgen -W "$* --help --version" -- "$word")
}

# _nn_words WORD…: offer these words.
_nn_words() {
    mapfile -t COMPREPLY < <(compgen -W "$*" -- "${COMP_WORDS[COMP_CWORD]}")
}

# The numbers of the runs, newest first, and what else names one.
_nn_runs() {
    _nn_words "$(nn-queue list --all 2>/dev/null | cut -f1 | sort -rn | head -n 200) last"
}

# nn-sweep
_nn_sweep() {
    [[ $3 == --command ]] && return
    _nn_options -n --dry-run --command && return
}
complete -o bashdefault -o default -F _nn_sweep nn-sweep

# nn-queue
_nn_queue() {
    local verbs="init add list hosts show log work submit sync host hold release cancel retry prio note tag wait gc recover"
    if ((COMP_CWORD == 1)); then
        _nn_words "$verbs"
        return
    fi
    local states="queued held submitted running done failed cancelled"
    case ${COMP_WORDS[1]}:$3 in
        *:--state) _nn_words "$states"; return ;;
        *:--after | *:--after-any) _nn_runs; return ;;
        *:--profile) _nn_words python theano perf; return ;;
        *:--notify) _nn_words failed finished warning none; return ;;
        *:--prio | prio:prio) _nn_words 0 1 2 3 4 5 6 7 8 9; return ;;
        *:-n | *:--name | *:-p | *:--param | *:-j | *:--slots | *:--gpus | *:--needs | *:--host | *:--time | *:--retries) return ;;
        *:--finish-up | *:--rule) return ;;
        *:--note | *:--tag | *:--pattern | *:--timeout | *:--older-than | *:--host-is-dead | note:note | tag:tag) return ;;
        *:--keep-checkpoints | *:-o | *:--option | *:--max-parallel) return ;;
        *:--to) _nn_words "slurm gridengine $(nn-queue host list 2>/dev/null | cut -f1)"; return ;;
    esac
    case ${COMP_WORDS[1]} in
        init) _nn_options --group ;;
        add)
            _nn_options -n --name -p --param -g --group --needs --host --time --prio --retries --after --after-any --note --tag \
                --pattern --metrics --checkpoint --weights --keep-checkpoints --finish-up --profile --rule --notify --hold --live --link --input --again --new
            ;;
        list) _nn_options -a --all --state --json || _nn_runs ;;
        hosts) _nn_options --json ;;
        show) _nn_options --json || _nn_runs ;;
        log) _nn_options -f --follow -n --lines || _nn_runs ;;
        work) _nn_options -j --slots --gpus --forever --detach -q --quiet ;;
        submit) _nn_options --to -o --option --max-parallel || _nn_runs ;;
        sync | peer) _nn_options ;;
        host)
            if ((COMP_CWORD == 2)); then
                _nn_words "list check setup"
                return
            fi
            case ${COMP_WORDS[2]}:$3 in
                *:--from) ;;
                setup:*) _nn_options --from || _nn_words "$(nn-queue host list 2>/dev/null | cut -f1)" ;;
                *) _nn_options --json --from || _nn_words "$(nn-queue host list 2>/dev/null | cut -f1)" ;;
            esac
            ;;
        retry) _nn_options --done || _nn_runs ;;
        tag) _nn_options -d --delete || _nn_runs ;;
        wait) _nn_options --timeout || _nn_runs ;;
        gc) _nn_options --dry-run --older-than --state --keep-checkpoints || _nn_runs ;;
        recover) _nn_options --wait --host-is-dead ;;
        hold | release | cancel | prio | note) _nn_options || _nn_runs ;;
    esac
}
complete -o bashdefault -o default -F _nn_queue nn-queue

# nn-run
_nn_run() {
    local i
    [ "$3" = --resume ] && _nn_runs && return
    [ "$3" = --profile ] && _nn_words python theano perf && return
    [ "$3" = --notify ] && _nn_words failed finished warning none && return
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        -[ngp] | --name | --group | --param | --note | --tag | --time | --grace | --pattern | --metrics | --claim | --claimed | --adopt) ((i++)) ;;
        --retries | --finish-up | --checkpoint | --weights | --keep-checkpoints | --profile | --rule | --notify | --resume) ((i++)) ;;
        --) ((i++)) && break ;;
        -*) ;;
        *) break ;;
        esac
    done
    if ((i < COMP_CWORD)); then
        return
    elif [[ ${COMP_WORDS[COMP_CWORD]} == -* ]]; then
        _nn_options -q --quiet -n --name -g --group -p --param --note --tag --time --finish-up --grace --retries \
            --checkpoint --weights --keep-checkpoints --pattern --metrics --profile --rule --notify --resume --claimed --adopt
    else
        mapfile -t COMPREPLY < <(compgen -c -- "${COMP_WORDS[COMP_CWORD]}")
    fi
}
complete -o bashdefault -o default -F _nn_run nn-run

# nn-log
_nn_log() {
    case $3 in
    -r | --run) _nn_runs && return ;;
    -p | --pattern | -n | --name | -g | --group | --param | --note | --tag | --status | --tensorboard | --sacred | --server) return ;;
    esac
    case ${COMP_WORDS[1]} in
    export) _nn_options --csv --json --tensorboard --sacred || _nn_runs; return ;;
    import) _nn_options --sacred --tensorboard --mlflow --csv --log -p --pattern -g --group --tag --new --again; return ;;
    start) _nn_options -n --name -g --group --param --note --tag --server; return ;;
    progress) _nn_options -r --run -p --pattern --log --data --server; return ;;
    finish) _nn_options -r --run -p --pattern --log --data --status --server; return ;;
    report) _nn_options --server || _nn_runs; return ;;
    esac
    _nn_options -r --run -p --pattern --try --json && return
    [ "$COMP_CWORD" = 1 ] && _nn_words export import start progress finish report
}
complete -o bashdefault -o default -F _nn_log nn-log

# nn-table
_nn_table() {
    case $3 in
    --where | --sort | --columns)
        _nn_words "run state how name group note tags command dir priority attempt added started ended duration date host commit branch dirty"
        return
        ;;
    esac
    _nn_options --where --sort -r --reverse --columns -t --table --csv --json --markdown --tsv --all && return
    _nn_runs
}
complete -o bashdefault -o default -F _nn_table nn-table

# nn-plot
_nn_plot() {
    case $3 in
    -x | --along)
        _nn_words "epoch step time updates"
        return
        ;;
    --format)
        _nn_words "png svg text"
        return
        ;;
    -o | --output)
        return
        ;;
    esac
    _nn_options -y --values -x --along --log --smooth --mean --ymin --ymax --bars --full -o --output --format --size \
        --width --height --ascii --title -p --pattern && return
    _nn_runs
}
complete -o bashdefault -o default -F _nn_plot nn-plot

# nn-diskcheck
_nn_diskcheck() {
    case $3 in
    --like) _nn_runs && return ;;
    --need | --ram | --gpu-mem | --inodes) return ;;
    esac
    _nn_options --need --inodes --ram --gpu-mem --like --probe --json && return
}
complete -o bashdefault -o default -F _nn_diskcheck nn-diskcheck

# nn-mail
_nn_mail() {
    case $3 in
    -s | --subject) return ;;
    -r | --run) _nn_runs && return ;;
    --print) _nn_words "$(nn-mail --list --all 2>/dev/null | cut -f1)" && return ;;
    esac
    _nn_options -s --subject -a --attach -r --run --later --events --flush --all --list --json --print --raw --test --setup
}
complete -o bashdefault -o default -F _nn_mail nn-mail

# nn-web
_nn_web() {
    case $3 in
    -l | --listen) _nn_words "127.0.0.1:8080 0.0.0.0:8080" && return ;;
    --host | --token-file | --report-token-file | --export) return ;;
    esac
    _nn_options -l --listen --host --token-file --report-token-file --export && return
    _nn_runs
}
complete -o bashdefault -o default -F _nn_web nn-web

# nn-weights
_nn_weights() {
    case $3 in
    -l | --layer | --memory) return ;;
    esac
    _nn_options -l --layer -s --singular -e --each --memory --json && return
}
complete -o bashdefault -o default -F _nn_weights nn-weights

# nn-watch
_nn_watch() {
    _nn_options -a --all --once --json --events --tick --new -f --follow -p --pattern --rule && return
    _nn_runs
    [ "$COMP_CWORD" = 1 ] && [[ why == "${COMP_WORDS[1]}"* ]] && COMPREPLY+=(why)
}
complete -o bashdefault -o default -F _nn_watch nn-watch
