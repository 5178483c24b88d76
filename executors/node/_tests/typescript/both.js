module.exports = () => 'compiled';
