# fish completion of nn-tools: what all tools share, then one block a tool.

# The numbers of the runs with their names, newest first.
function __nn_runs
    nn-queue list --all 2>/dev/null | cut -f1 | sort -rn | head -n 200
    echo last
end

for tool in nn-sweep nn-queue nn-run nn-log nn-table nn-plot
    complete -c $tool -s h -l help -d 'print the usage'
    complete -c $tool -s V -l version -d 'print the version'
end

# nn-sweep

# nn-queue

# nn-run

# nn-log

# nn-table
complete -c nn-table -f -a '(__nn_runs)'
complete -c nn-table -x -l where -d 'only runs for which it holds'
complete -c nn-table -x -l sort -d 'by this column'
complete -c nn-table -s r -l reverse -d 'the greatest first'
complete -c nn-table -x -l columns -d 'these columns'
complete -c nn-table -s t -l table -d 'aligned under headings'
complete -c nn-table -l csv -d 'comma-separated'
complete -c nn-table -l json -d 'an object a line'
complete -c nn-table -l markdown -d 'a Markdown table'
complete -c nn-table -l tsv -d 'TAB-separated'
complete -c nn-table -l all -d 'also what is the same in both'

# nn-plot
