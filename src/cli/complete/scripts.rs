//! What a shell is given: a few lines that ask cco. They hold no names of commands, so that they never get old.

/// For bash, also the old one of macOS.
pub const BASH: &str = r#"# bash completion for cco: `cco completions bash`
_cco() {
    local program=${1/#\~/$HOME} current=${COMP_WORDS[COMP_CWORD]} word what IFS=$'\n'
    [ "$current" != = ] || current=
    COMPREPLY=()
    while IFS=$'\t' read -r word what; do
        case $word in
            :files) compopt -o filenames 2>/dev/null; COMPREPLY+=($(compgen -f -- "$current")) ;;
            :dirs) compopt -o filenames 2>/dev/null; COMPREPLY+=($(compgen -d -- "$current")) ;;
            *) COMPREPLY+=("$word") ;;
        esac
    done < <("$program" complete-words "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _cco cco
"#;

/// For zsh.
pub const ZSH: &str = r#"#compdef cco
# zsh completion for cco: `cco completions zsh`
_cco() {
    local -a values
    local line
    while IFS= read -r line; do
        case $line in
            :files) _files ;;
            :dirs) _files -/ ;;
            *) values+=("${${line//:/\\:}/$'\t'/:}") ;;
        esac
    done < <("${(Q)words[1]/#\~/$HOME}" complete-words "${(@Q)words[2,CURRENT]}" 2>/dev/null)
    (( ! $#values )) || _describe cco values
}
if [ "$funcstack[1]" = _cco ]; then
    _cco "$@"
else
    compdef _cco cco
fi
"#;

/// For fish.
pub const FISH: &str = r#"# fish completion for cco: `cco completions fish`
function __cco_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    for line in ($words[1] complete-words $words[2..-1] "$current" 2>/dev/null)
        switch $line
            case :files
                __fish_complete_path "$current"
            case :dirs
                __fish_complete_directories "$current"
            case '*'
                echo $line
        end
    end
end
complete -c cco -f -a '(__cco_complete)'
"#;
