# A recurrent net that learns to continue straight lines: a small real training, in nothing but POSIX awk.
#
# Task linear_trend: a sequence is offset + slope * t, both drawn at random; after each of its values but the first
# (no slope can be known from one) the net says the next. Net: h[t] = f(U x[t] + W h[t-1]), y[t] = V h[t], no bias,
# f is linear, tanh or relu. Training: backpropagation through time of the mean squared error, in batches shuffled
# anew each epoch; the gradient of each layer is scaled down to the norm `clip` (0: never); momentum rises from 0.5
# to its final value in ten epochs; the learning rate is multiplied by `decay` after each.
# Prints a line an epoch. A training that diverges goes on to its end, as most trainers do, and prints inf and nan.
#
# Parameters are variables, set with -v (the program `train` beside this file does): see the defaults below.
# In $NN_CHECKPOINTS, where set, all that is needed to go on is saved every `save` epochs and at the end: the
# epoch, the learning rate, the state of the random numbers, the order of the training set, and of each parameter its
# value and velocity. Where $NN_CHECKPOINT names such a file, training goes on from there, to the same numbers.
#
# awk differs from awk in rand(), in how inf and nan are printed and in how nan compares: nothing here rests on them.

# The value given for a parameter, or its default; not below `least`, and a whole number where that is one.
function number(name, given, otherwise, least) {
    if (given == "") return otherwise
    if (given !~ /^[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?$/ || given + 0 < least)
        refuse(name, given, "a number from " least)
    return given + 0
}

function whole(name, given, otherwise, least) {
    if (given == "") return otherwise
    if (given !~ /^[0-9]+$/ || length(given) > 9 || given + 0 < least) refuse(name, given, "a whole number from " least)
    return given + 0
}

function refuse(name, given, wanted) {
    print "rnn.awk: " name ": '" given "' is not " wanted | "cat >&2"
    close("cat >&2")
    exit 2
}

# Uniform in 0 .. 1: the minimal standard generator of Park and Miller; products stay below 2^53.
function uniform() {
    random = (random * 16807) % 2147483647
    return random / 2147483647
}

# Sequence i of a set has the values x[i * span] .. x[i * span + steps].
function draw(x, count,    i, t, offset, slope) {
    for (i = 0; i < count; i++) {
        offset = 10 * uniform() - 5
        slope = 2 * uniform() - 1
        for (t = 0; t <= steps; t++) x[i * span + t] = offset + slope * t
    }
}

# Parameters in one vector p: U at 0, V at hidden, W at 2 * hidden, row by row. v: velocity, g: gradient.
function initialise(    i) {
    first[1] = 0; first[2] = hidden; first[3] = 2 * hidden
    parameters = first[4] = 2 * hidden + hidden * hidden
    for (i = 0; i < parameters; i++) {
        p[i] = (2 * uniform() - 1) / (i < hidden ? 1 : root(hidden))
        v[i] = 0
    }
}

# Newton's square root, for there are awks without one.
function root(x,    y, i) {
    if (!(x > 0 && x < 1e300)) return x
    y = x > 1 ? x : 1
    for (i = 0; i < 600 && y * y > x * (1 + 1e-12); i++) y = (y + x / y) / 2
    return y
}

# tanh(z) is 2t / (1 + tt) with t = tanh(z / 2), and that a continued fraction: to 1e-8, and without exp().
function f(z,    q, t) {
    if (activation == "linear") return z
    if (activation == "relu") return z > 0 ? z : 0
    if (z > 9) return 1
    if (z < -9) return -1
    q = z * z / 4
    t = z / 2 * (135135 + q * (17325 + q * (378 + q))) / (135135 + q * (62370 + q * (3150 + 28 * q)))
    return 2 * t / (1 + t * t)
}

# Runs the net along the sequence at `from`: states h (row t + 1 after value t, row 0 is zero), errors e. Returns the cost.
function forward(x, from,    t, j, k, at, row, before, sum, y, cost) {
    for (t = 0; t < steps; t++) {
        y = 0
        before = t * hidden
        at = before + hidden
        row = 2 * hidden
        for (j = 0; j < hidden; j++) {
            sum = p[j] * x[from + t]
            for (k = 0; k < hidden; k++) sum += p[row++] * h[before + k]
            h[at + j] = f(sum)
            y += p[hidden + j] * h[at + j]
        }
        e[t] = t ? y - x[from + t + 1] : 0
        cost += e[t] * e[t]
    }
    return cost / (steps - 1)
}

# Adds the gradient of the sequence that forward() has just seen, from its end to its beginning.
function backward(x, from,    t, j, k, at, row, before, value, dy, dz) {
    for (j = 0; j < hidden; j++) later[j] = 0
    for (t = steps - 1; t >= 0; t--) {
        dy = 2 * e[t] / (steps - 1)
        before = t * hidden
        at = before + hidden
        for (k = 0; k < hidden; k++) earlier[k] = 0
        row = 2 * hidden
        for (j = 0; j < hidden; j++) {
            value = h[at + j]
            g[hidden + j] += dy * value
            dz = dy * p[hidden + j] + later[j]
            if (activation == "tanh") dz *= 1 - value * value
            else if (activation == "relu" && value == 0) dz = 0
            g[j] += dz * x[from + t]
            for (k = 0; k < hidden; k++) {
                earlier[k] += dz * p[row]
                g[row++] += dz * h[before + k]
            }
        }
        for (k = 0; k < hidden; k++) later[k] = earlier[k]
    }
}

# One step of descent along the gradient of `count` sequences, each layer clipped for itself.
function step(count, inertia,    layer, i, norm, scale) {
    for (layer = 1; layer <= 3; layer++) {
        norm = 0
        for (i = first[layer]; i < first[layer + 1]; i++) norm += g[i] * g[i]
        norm = root(norm) / count
        scale = rate / count
        if (clip > 0 && norm > clip) scale *= clip / norm
        for (i = first[layer]; i < first[layer + 1]; i++) {
            v[i] = inertia * v[i] - scale * g[i]
            p[i] += v[i]
        }
    }
}

# One pass through the training set in a new order. Returns the mean cost.
function learn(inertia,    i, j, swap, done, cost) {
    for (i = training - 1; i > 0; i--) {
        j = int(uniform() * (i + 1))
        swap = order[i]; order[i] = order[j]; order[j] = swap
    }
    for (done = 0; done < training; done += i) {
        for (i = 0; i < parameters; i++) g[i] = 0
        for (i = 0; i < batch && done + i < training; i++) {
            cost += forward(seen, order[done + i] * span)
            backward(seen, order[done + i] * span)
        }
        step(i, inertia)
    }
    return cost / training
}

function validate(    i, cost) {
    for (i = 0; i < validation; i++) cost += forward(unseen, i * span)
    return cost / validation
}

# A number with so many digits, and the same words for what is none in every awk.
function show(x, digits,    text) {
    text = sprintf("%." digits "g", x)
    if (text ~ /[nN][aA][nN]/) return "nan"
    if (text ~ /[iI][nN][fF]/) return text ~ /^-/ ? "-inf" : "inf"
    return text
}

# The name appears only when the file is whole.
function save_parameters(epoch,    name, file, i) {
    if (ENVIRON["NN_CHECKPOINTS"] == "") return
    name = sprintf("params-%04d", epoch)
    file = ENVIRON["NN_CHECKPOINTS"] "/" name ".tmp"
    printf "epoch %d\nrate %s\nrandom %d\norder", epoch, show(rate, 17), random > file
    for (i = 0; i < training; i++) printf " %d", order[i] > file
    print "" > file
    for (i = 0; i < parameters; i++) print i, show(p[i], 17), show(v[i], 17) > file
    if (close(file) != 0 || system("mv -f \"$NN_CHECKPOINTS\"/" name ".tmp \"$NN_CHECKPOINTS\"/" name) != 0)
        print "rnn.awk: cannot save " name | "cat >&2"
}

# What save_parameters() wrote. Returns its epoch.
function load_parameters(file,    line, word, n, i, at, read, loaded) {
    while ((read = (getline line < file)) > 0) {
        if (line ~ /nan|inf/) refuse("NN_CHECKPOINT", file, "one to go on from: that training has diverged")
        n = split(line, word, " ")
        if (word[1] == "epoch") at = word[2] + 0
        else if (word[1] == "rate") rate = word[2] + 0
        else if (word[1] == "random") random = word[2] + 0
        else if (word[1] == "order") for (i = 0; i < training; i++) order[i] = word[i + 2] + 0
        else if (n == 3) { p[word[1] + 0] = word[2] + 0; v[word[1] + 0] = word[3] + 0; loaded++ }
    }
    if (read < 0 || loaded != parameters) refuse("NN_CHECKPOINT", file, "a checkpoint of this net")
    close(file)
    print "resumed after epoch " at
    return at
}

BEGIN {
    if (activation == "") activation = "tanh"
    if (activation !~ /^(linear|tanh|relu)$/) refuse("activation", activation, "one of linear, tanh, relu")
    lr = number("lr", lr, 0.001, 0)
    clip = number("clip", clip, 20, 0)
    decay = number("decay", decay, 0.999, 0)
    momentum = number("momentum", momentum, 0.9, 0)
    hidden = whole("hidden", hidden, 5, 1)
    steps = whole("steps", steps, 10, 2)
    batch = whole("batch", batch, 4, 1)
    epochs = whole("epochs", epochs, 200, 1)
    seed = whole("seed", seed, 1, 0)
    save = whole("save", save, 50, 0)
    training = 24
    validation = 12
    span = steps + 1

    random = seed % 2147483646 + 1
    for (i = 0; i < 10; i++) uniform()
    draw(seen, training)
    draw(unseen, validation)
    initialise()
    for (i = 0; i < hidden; i++) h[i] = 0
    for (i = 0; i < training; i++) order[i] = i
    rate = lr
    printf "linear_trend: %d training sequences of length %d; %s net of %d parameters\n", training, steps, activation, parameters

    epoch = 0
    if (ENVIRON["NN_CHECKPOINT"] != "") epoch = load_parameters(ENVIRON["NN_CHECKPOINT"])
    while (++epoch <= epochs) {
        train_cost = learn(epoch < 10 ? 0.5 + (momentum - 0.5) * epoch / 10 : momentum)
        rate *= decay
        print "epoch=" epoch, "train_cost=" show(train_cost, 6), "valid_cost=" show(validate(), 6)
        fflush()
        if (epoch == epochs || (save && epoch % save == 0)) save_parameters(epoch)
    }
}
