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

# nn-plot
