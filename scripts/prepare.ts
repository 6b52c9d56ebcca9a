console.log('nothing to prepare');
