// Style sheets have no say in unit tests.
module.exports = {};
