'use strict';
fetch('api/runs').then(function (reply) { return reply.json(); }).then(function (data) {
    data.runs.forEach(function (run) {
        var row = document.getElementById('runs').insertRow();
        [run.run, run.state, run.name || run.command].forEach(function (text) {
            row.insertCell().textContent = text;
        });
    });
});
